using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Scripting;

/// <summary>The fixed shapes that scripts read: one object a line. Members keep their names and order.</summary>
internal static class JsonLines
{
    private static readonly JsonWriterOptions Options = new()
    {
        // Output is a line of a terminal or pipe, never part of a web page: umlauts may stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>A message that was sealed later than this after it was written has both times.</summary>
    private static readonly TimeSpan WaitShown = TimeSpan.FromSeconds(1);

    public static string Account(string user, string node, string fingerprint) => Write(json =>
    {
        json.WriteString("user", user);
        json.WriteString("node", node);
        json.WriteString("fingerprint", fingerprint);
    });

    public static string Sent(ChatMessage message) => Write(json =>
    {
        json.WriteString("id", message.Id);
        json.WriteString("to", message.To);
        json.WriteString("state", StateOf(message.State));
        Names(json, "copies", message.Copies);
        json.WriteNumber("of", message.Of);
        Names(json, "reachable", message.Reachable ?? message.Copies);
    });

    /// <summary>A message as it is shown; <c>missing</c> says how many of its sender's at most should stand before it
    /// and have not come, if any, <c>elsewhere</c> how many may have gone to another device, <c>late</c> that it came
    /// after later ones, and <c>note</c> a remark, such as that a copy of its sender's profile wrote it. <c>typed</c>
    /// is when it was written here, if it waited before it was sent; the text form prints that time.</summary>
    /// <param name="again">It may have been printed before; said only if so, as is that it is a request.</param>
    public static string Message(ChatMessage message, bool again = false) => Write(json =>
    {
        json.WriteString("id", message.Id);
        json.WriteString("from", message.From);
        json.WriteString("to", message.To);
        json.WriteString("text", message.Text);
        json.WriteString("sent", Time(message.Sent));
        json.WriteString("state", StateOf(message.State));
        if (message.Typed is { } typed && message.Sent - typed > WaitShown)
            json.WriteString("typed", Time(typed));
        if (message.MissingBefore > 0)
            json.WriteNumber("missing", message.MissingBefore);
        if (message.ElsewhereBefore > 0)
            json.WriteNumber("elsewhere", message.ElsewhereBefore);
        if (message.IsLate)
            json.WriteBoolean("late", true);
        if (again)
            json.WriteBoolean("again", true);
        if (message.IsRequest)
            json.WriteBoolean("request", true);
        if (message.Note.Length > 0)
            json.WriteString("note", message.Note);
    });

    public static string Request(ChatRequest request) => Write(json =>
    {
        json.WriteString("user", request.From);
        json.WriteNumber("count", request.Count);
        json.WriteString("first", request.First.Text);
        json.WriteString("sent", Time(request.First.Sent));
    });

    public static string RequestsWait(bool on) => Write(json => json.WriteBoolean("wait", on));

    public static string Status(Presence presence) => Write(json =>
    {
        json.WriteString("user", presence.User);
        json.WriteBoolean("online", presence.Online);
        if (presence.Since is { } since)
            json.WriteString("since", Time(since));
        else
            json.WriteNull("since");
    });

    public static string Blocked(string user) => Write(json => json.WriteString("user", user));

    public static string Where(MailboxMembers place) => Write(json =>
    {
        json.WriteString("user", place.User);
        json.WriteString("tile", place.Tile);
        json.WriteNumber("epoch", place.Epoch);
        Names(json, "members", place.Members);
        Names(json, "answering", place.Answering);
    });

    public static string Error(ChordChatException cause) => Write(json =>
    {
        json.WriteStartObject("error");
        json.WriteString("code", cause.Code);
        json.WriteString("message", cause.Message);
        json.WriteString("hint", cause.Hint);
        json.WriteEndObject();
    });

    public static string StateOf(MessageState state) => state switch
    {
        MessageState.Waiting => "waiting",
        MessageState.Queued => "queued",
        MessageState.Kept => "kept",
        MessageState.Delivered => "delivered",
        MessageState.Read => "read",
        MessageState.Unsent => "unsent",
        _ => "refused",
    };

    private static void Names(Utf8JsonWriter json, string member, IEnumerable<string> names)
    {
        json.WriteStartArray(member);
        foreach (var name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
    }

    private static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    private static string Write(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        // The same value to whoever parses it, and no reversed line for whoever reads it.
        return Printable.EscapeDirections(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }
}
