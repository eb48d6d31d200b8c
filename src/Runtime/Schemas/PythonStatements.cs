using Runtime.Models.Configuration;

namespace Runtime.Schemas;

/// <summary>
/// Reads a module's statements: the schema's assignments as literals; imports, other assignments and docstrings are passed
/// over. Anything else, and anything that could change the schema, is code and refused.
/// </summary>
internal sealed class PythonStatements(PythonScanner scanner, SchemaFile file)
{
    private static readonly string[] Keywords =
    [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally",
        "for", "global", "if", "in", "is", "lambda", "nonlocal", "not", "or", "raise", "return", "try", "while", "with", "yield",
    ];

    private readonly PythonLiteralReader _literals = new(scanner);

    public void ReadAll()
    {
        var startsLine = true;
        while (scanner.Current.Kind != PythonTokenKind.End)
        {
            if (scanner.Current.EndsStatement)
            {
                startsLine = scanner.Take().Kind == PythonTokenKind.NewLine;
                continue;
            }

            if (startsLine && scanner.Current.Place.Column > 1)
            {
                throw scanner.Error(scanner.Current.Place, $"unexpected indent before {scanner.Current.Describe()}");
            }

            ReadStatement();
            startsLine = false;
        }
    }

    private void ReadStatement()
    {
        var first = scanner.Current;
        if (first.Kind == PythonTokenKind.String)
        {
            _literals.Read();
            _literals.ExpectEnd();
        }
        else if (first.Kind != PythonTokenKind.Name || Keywords.Contains(first.Text))
        {
            throw Code(first, first);
        }
        else if (first.Text is "import" or "from")
        {
            SkipImport();
        }
        else
        {
            scanner.Take();
            if (first.Text != "pass" || !scanner.Current.EndsStatement)
            {
                ReadAssignment(first);
            }
        }
    }

    private void ReadAssignment(PythonToken name)
    {
        var isAnnotated = scanner.TryTake(":");
        if (isAnnotated && SkipAnnotation())
        {
            return;
        }

        if (!scanner.Current.IsSymbol("="))
        {
            throw Code(name, scanner.Current);
        }

        scanner.Take();
        if (SchemaFile.IsKnown(name.Text))
        {
            var value = _literals.Read();
            _literals.ExpectEnd();
            file.Add(new SchemaEntry(name.Text, name.Place, value));
        }
        else
        {
            SkipValue();
            file.Ignore(name.Text, name.Place);
        }
    }

    /// <summary>Goes to the value behind an annotation; true if there is none.</summary>
    private bool SkipAnnotation()
    {
        if (scanner.Current.IsSymbol("=") || scanner.Current.EndsStatement)
        {
            throw scanner.Error(scanner.Current.Place, $"expected an annotation behind ':', found {scanner.Current.Describe()}");
        }

        // Inside an annotation's brackets '=' is no assignment, but no annotation worth reading has one.
        while (!scanner.Current.IsSymbol("=") && !scanner.Current.EndsStatement)
        {
            scanner.Take();
        }

        return scanner.Current.EndsStatement;
    }

    private void SkipImport()
    {
        while (!scanner.Current.EndsStatement)
        {
            var token = scanner.Take();
            if (token.Kind == PythonTokenKind.Name && SchemaFile.IsKnown(token.Text))
            {
                throw scanner.Error(token.Place, $"{token.Text} cannot be imported: its value must stand in this file, for code is not executed");
            }
        }
    }

    /// <summary>Passes over a value that has no meaning here, unless it sets a name that has.</summary>
    private void SkipValue()
    {
        if (scanner.Current.EndsStatement)
        {
            throw scanner.Error(scanner.Current.Place, $"expected a value behind '=', found {scanner.Current.Describe()}");
        }

        while (!scanner.Current.EndsStatement)
        {
            var token = scanner.Take();
            var isKnown = token.Kind == PythonTokenKind.Name && SchemaFile.IsKnown(token.Text);
            if (isKnown && (scanner.Current.IsSymbol("=") || (scanner.TryTake(":") && scanner.Current.IsSymbol("="))))
            {
                throw scanner.Error(token.Place, $"code is not executed: {token.Text} must be set in a statement of its own");
            }
        }
    }

    private ModelConfigException Code(PythonToken statement, PythonToken found) => scanner.Error(
        found.Place,
        statement == found
            ? $"code is not executed: expected an assignment such as INPUT_SCHEMA = {{...}}, found {found.Describe()}"
            : $"code is not executed: expected '=' behind '{Literal.Short(statement.Text)}', found {found.Describe()}");
}
