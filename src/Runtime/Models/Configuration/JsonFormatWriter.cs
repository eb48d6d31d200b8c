using System.Collections;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Runtime.Models.Configuration;

/// <summary>Writes any message as protobuf's JSON with its own field names and default values, 64-bit integers as numbers.</summary>
internal static class JsonFormatWriter
{
    public static void WriteMessage(IMessage message, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            var value = field.Accessor.GetValue(message);
            var isOtherChoice = field.RealContainingOneof is { } oneof && oneof.Accessor.GetCaseFieldDescriptor(message) != field;
            if (value is null || isOtherChoice)
            {
                continue;
            }

            writer.WritePropertyName(field.Name);
            WriteField(field, value, writer);
        }

        writer.WriteEndObject();
    }

    private static void WriteField(FieldDescriptor field, object value, Utf8JsonWriter writer)
    {
        if (field.IsMap)
        {
            var valueField = field.MessageType.FindFieldByNumber(2);
            writer.WriteStartObject();
            foreach (DictionaryEntry entry in (IDictionary)value)
            {
                writer.WritePropertyName(Convert.ToString(entry.Key, CultureInfo.InvariantCulture)!);
                WriteValue(valueField, entry.Value!, writer);
            }

            writer.WriteEndObject();
        }
        else if (field.IsRepeated)
        {
            writer.WriteStartArray();
            foreach (var item in (IList)value)
            {
                WriteValue(field, item!, writer);
            }

            writer.WriteEndArray();
        }
        else
        {
            WriteValue(field, value, writer);
        }
    }

    private static void WriteValue(FieldDescriptor field, object value, Utf8JsonWriter writer)
    {
        switch (value)
        {
            case IMessage message:
                WriteMessage(message, writer);
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case Enum when field.EnumType.FindValueByNumber((int)value) is { } named:
                writer.WriteStringValue(named.Name);
                break;
            case Enum:
                writer.WriteNumberValue((int)value);
                break;
            case float number when float.IsFinite(number):
                writer.WriteNumberValue(number);
                break;
            case double number when double.IsFinite(number):
                writer.WriteNumberValue(number);
                break;
            case float or double:
                // NaN, Infinity and -Infinity are strings in protobuf's JSON.
                writer.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
            case ulong number:
                writer.WriteNumberValue(number);
                break;
            default:
                writer.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}
