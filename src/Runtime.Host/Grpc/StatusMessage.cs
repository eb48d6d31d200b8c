using System.Text;

namespace Runtime.Host.Grpc;

/// <summary>The <c>grpc-message</c> trailer: UTF-8 with everything but printable ASCII, and the percent sign itself, percent-encoded.</summary>
internal static class StatusMessage
{
    /// <summary>Clients refuse metadata beyond 8 KiB, so a longer message is cut, between characters.</summary>
    public const int MaxEncodedLength = 4096;

    private const string HexDigits = "0123456789ABCDEF";

    public static string Encode(string message)
    {
        var text = new StringBuilder(message.Length);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in message.EnumerateRunes())
        {
            var length = rune.EncodeToUtf8(utf8);
            var isPlain = rune.Value is >= ' ' and <= '~' and not '%';
            if (text.Length + (isPlain ? 1 : 3 * length) > MaxEncodedLength)
            {
                break;
            }

            if (isPlain)
            {
                text.Append((char)rune.Value);
                continue;
            }

            foreach (var octet in utf8[..length])
            {
                text.Append('%').Append(HexDigits[octet >> 4]).Append(HexDigits[octet & 15]);
            }
        }

        return text.ToString();
    }
}
