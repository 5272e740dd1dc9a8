using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Parsing;

namespace ChordChat.Node.Base;

/// <summary>One JSON object a line: time, level, event number, the text as people read it, and its values by
/// name.</summary>
internal sealed class JsonLines : ITextFormatter
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public void Format(LogEvent logEvent, TextWriter output)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            json.WriteString("time", logEvent.Timestamp.UtcDateTime);
            json.WriteString("level", logEvent.Level.ToString());
            json.WriteString("text", string.Concat(logEvent.MessageTemplate.Tokens.Select(t => TextOf(t, logEvent))));
            foreach (var (name, value) in logEvent.Properties)
                Write(json, name, value);
            if (logEvent.Exception is { } exception)
                json.WriteString("exception", exception.ToString());
            json.WriteEndObject();
        }

        output.WriteLine(TextLines.Escaped(Encoding.UTF8.GetString(buffer.WrittenSpan)));
    }

    private static string TextOf(MessageTemplateToken token, LogEvent logEvent) =>
        token is PropertyToken property && logEvent.Properties.GetValueOrDefault(property.PropertyName) is { } value
            ? value is ScalarValue scalar
                ? Convert.ToString(scalar.Value, CultureInfo.InvariantCulture) ?? ""
                : value.ToString(null, CultureInfo.InvariantCulture)
            : token.ToString()!;

    private static void Write(Utf8JsonWriter json, string name, LogEventPropertyValue value)
    {
        switch (value)
        {
            case StructureValue { Properties: var parts } when name == "EventId":
                if (parts.FirstOrDefault(p => p.Name == "Id")?.Value is ScalarValue { Value: int number })
                    json.WriteNumber("event", number);
                break;
            case ScalarValue { Value: int or uint or long or ulong } whole:
                json.WritePropertyName(name);
                json.WriteRawValue(Convert.ToString(whole.Value, CultureInfo.InvariantCulture)!);
                break;
            case ScalarValue { Value: bool yes }:
                json.WriteBoolean(name, yes);
                break;
            case ScalarValue { Value: var other }:
                json.WriteString(name, Convert.ToString(other, CultureInfo.InvariantCulture));
                break;
            default:
                json.WriteString(name, value.ToString());
                break;
        }
    }
}
