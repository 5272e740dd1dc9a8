using ChordChat.Visualizer.Feed;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace ChordChat.Visualizer.Pages;

/// <summary>The way of a lookup through the ring, as the watched node goes it.</summary>
internal static class TracePage
{
    private const int NameLengthMax = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));

    public static async Task<IResult> AnswerAsync(string? name, RingFeed feed, CancellationToken cancellation)
    {
        if (name is not { Length: > 0 and <= NameLengthMax })
            return Problem(400, "bad_name", $"A name has 1 to {NameLengthMax} characters.");
        if (feed.Watched is not { } node)
            return Problem(503, "no_node", "No node answers right now.");
        try
        {
            var question = new TraceRequest { Name = name };
            var trace = await node.View.TraceAsync(
                question, deadline: DateTime.UtcNow + Patience, cancellationToken: cancellation);
            return PlainPicture.TryMake(trace)
                ? Results.Text(Json.Format(trace), "application/json")
                : Problem(502, "node_failed", $"{node.Name} does not say where that name lies. Try again.");
        }
        catch (RpcException cause)
        {
            return cause.StatusCode switch
            {
                StatusCode.InvalidArgument => Problem(400, "bad_name", Said(node, cause)),
                StatusCode.NotFound => Problem(404, "not_found", Said(node, cause)),
                StatusCode.DeadlineExceeded =>
                    Problem(504, "too_slow", $"{node.Name} did not finish the lookup in time. Try again."),
                _ => Problem(502, "node_failed", $"{node.Name} could not look that name up. Try again."),
            };
        }
        catch (Exception cause) when (cause is ObjectDisposedException or InvalidOperationException)
        {
            return Problem(503, "no_node", "The node stopped answering. Try again."); // It was let go meanwhile.
        }
    }

    /// <summary>A node's words, which are not the page's.</summary>
    private static string Said(NodeLink node, RpcException cause) =>
        $"{node.Name} says: {NodeWords.Quote(cause.Status.Detail)}";

    private static IResult Problem(int status, string code, string message) =>
        Results.Json(new { error = new { code, message } }, statusCode: status);
}
