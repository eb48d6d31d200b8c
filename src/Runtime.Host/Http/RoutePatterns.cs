namespace Runtime.Host.Http;

/// <summary>
/// Triton's paths, exact: case matters, segments are never decoded, a trailing or a doubled slash is another path, versions
/// are digits.
/// </summary>
internal static class RoutePatterns
{
    /// <summary>The path of a request's target, absolute or not, without its query.</summary>
    public static ReadOnlySpan<char> PathOf(ReadOnlySpan<char> target)
    {
        if (!target.StartsWith('/'))
        {
            var scheme = target.IndexOf("://");
            var slash = scheme < 0 ? -1 : target[(scheme + 3)..].IndexOf('/');
            target = slash < 0 ? [] : target[(scheme + 3 + slash)..];
        }

        var end = target.IndexOfAny('?', '#');
        return end < 0 ? target : target[..end];
    }

    /// <summary>The route of a path; <see cref="Route.None"/> where there is none.</summary>
    public static RouteMatch Match(ReadOnlySpan<char> path)
    {
        if (!TrySkip(ref path, "/v2"))
        {
            return path is "/openapi/v1.json" ? new RouteMatch { Route = Route.OpenApi } : default;
        }

        if (TrySkip(ref path, "/models/"))
        {
            return path is "stats" ? new RouteMatch { Route = Route.Statistics } : MatchModel(path);
        }

        if (TrySkip(ref path, "/repository/"))
        {
            return MatchRepository(path);
        }

        if (TrySkip(ref path, "/systemsharedmemory/"))
        {
            return MatchMemory(path, Route.SystemMemoryStatus);
        }

        if (TrySkip(ref path, "/cudasharedmemory/"))
        {
            return MatchMemory(path, Route.CudaMemoryStatus);
        }

        var route = path switch
        {
            "" => Route.Server,
            "/health/live" => Route.Live,
            "/health/ready" => Route.Ready,
            "/logging" => Route.Logging,
            "/trace/setting" => Route.Trace,
            _ => Route.None,
        };
        return new RouteMatch { Route = route };
    }

    private static RouteMatch MatchModel(ReadOnlySpan<char> rest)
    {
        var name = TakeSegment(ref rest);
        ReadOnlySpan<char> version = default;
        if (TrySkip(ref rest, "/versions/"))
        {
            version = TakeSegment(ref rest);
            if (version.IsEmpty || version.ContainsAnyExceptInRange('0', '9'))
            {
                return default;
            }
        }

        var route = rest switch
        {
            "" => Route.Model,
            "/infer" => Route.Infer,
            "/generate" => Route.Generate,
            "/generate_stream" => Route.GenerateStream,
            "/ready" => Route.ModelReady,
            "/config" => Route.Config,
            "/stats" => Route.ModelStatistics,
            "/trace/setting" when version.IsEmpty => Route.ModelTrace,
            _ => Route.None,
        };
        return name.IsEmpty ? default : new RouteMatch { Route = route, Name = name, Version = version };
    }

    private static RouteMatch MatchRepository(ReadOnlySpan<char> rest)
    {
        var match = MatchRepository(rest, default);
        if (match.Route != Route.None)
        {
            return match;
        }

        var repository = TakeSegment(ref rest);
        return repository.IsEmpty || rest.IsEmpty ? default : MatchRepository(rest[1..], repository);
    }

    private static RouteMatch MatchRepository(ReadOnlySpan<char> rest, ReadOnlySpan<char> repository)
    {
        if (rest is "index")
        {
            return new RouteMatch { Route = Route.Index, Repository = repository };
        }

        if (!TrySkip(ref rest, "models/"))
        {
            return default;
        }

        var name = TakeSegment(ref rest);
        var route = rest switch
        {
            "/load" => Route.Load,
            "/unload" => Route.Unload,
            _ => Route.None,
        };
        return name.IsEmpty ? default : new RouteMatch { Route = route, Name = name, Repository = repository };
    }

    private static RouteMatch MatchMemory(ReadOnlySpan<char> rest, Route status)
    {
        ReadOnlySpan<char> region = default;
        if (TrySkip(ref rest, "region/"))
        {
            region = TakeSegment(ref rest);
            if (region.IsEmpty || rest.IsEmpty)
            {
                return default;
            }

            rest = rest[1..];
        }

        return rest switch
        {
            "status" => new RouteMatch { Route = status, Name = region },
            "register" => new RouteMatch { Route = status + 1, Name = region },
            "unregister" => new RouteMatch { Route = status + 2, Name = region },
            _ => default,
        };
    }

    /// <summary>Takes what is before the next slash, which stays.</summary>
    private static ReadOnlySpan<char> TakeSegment(scoped ref ReadOnlySpan<char> rest)
    {
        var slash = rest.IndexOf('/');
        var segment = slash < 0 ? rest : rest[..slash];
        rest = rest[segment.Length..];
        return segment;
    }

    private static bool TrySkip(scoped ref ReadOnlySpan<char> rest, string prefix)
    {
        if (!rest.StartsWith(prefix, StringComparison.Ordinal))
        {
            return false;
        }

        rest = rest[prefix.Length..];
        return true;
    }
}
