using System.Text;
using Google.Protobuf;

namespace Runtime.Host.Tests.Telemetry;

/// <summary>A protobuf message without its description: fields by number.</summary>
internal sealed class Wire
{
    private readonly List<(int Field, object Value)> _fields = [];

    public Wire(byte[] bytes)
    {
        var input = new CodedInputStream(bytes);
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            _fields.Add(((int)(tag >> 3), (tag & 7) switch
            {
                0 => input.ReadUInt64(),
                1 => input.ReadFixed64(),
                2 => input.ReadBytes().ToByteArray(),
                _ => input.ReadFixed32(),
            }));
        }
    }

    public IEnumerable<Wire> All(int field) => _fields.Where(entry => entry.Field == field).Select(entry => new Wire((byte[])entry.Value));

    public IEnumerable<Wire> All(params int[] path) => path.Aggregate<int, IEnumerable<Wire>>([this], (messages, field) => messages.SelectMany(message => message.All(field)));

    public string Text(int field) => Bytes(field) is { } bytes ? Encoding.UTF8.GetString(bytes) : "";

    public string Hex(int field) => Bytes(field) is { } bytes ? Convert.ToHexStringLower(bytes) : "";

    public ulong Number(int field) => Find(field) is { } value ? Convert.ToUInt64(value, System.Globalization.CultureInfo.InvariantCulture) : 0;

    /// <summary>Attributes as OTLP has them: a key, and a value that is a string, a bool, an integer or a double.</summary>
    public Dictionary<string, object> Attributes(int field) => All(field).ToDictionary(pair => pair.Text(1), pair => pair.All(2).Select(Value).FirstOrDefault() ?? "");

    private static object Value(Wire any) => any._fields[0] switch
    {
        (1, byte[] text) => Encoding.UTF8.GetString(text),
        (2, ulong flag) => flag != 0,
        (3, ulong number) => (long)number,
        (4, ulong bits) => BitConverter.UInt64BitsToDouble(bits),
        var other => other.Value,
    };

    private byte[]? Bytes(int field) => (byte[]?)Find(field);

    private object? Find(int field) => _fields.FindLast(entry => entry.Field == field).Value;
}
