using System.CommandLine;
using System.Net;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;

namespace ChordChat.Node.Commands;

/// <summary>drain and safe-to-stop: asked of the running node of a folder, with that folder's own key.</summary>
internal static class StopCommands
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command CreateDrain()
    {
        var data = CommandLine.DataOption("The node's folder (DIR/nodes/NAME).");
        var command = new Command(
            "drain",
            "Let a running node go for good: its tiles move to others, its clients to other nodes, then it stops.")
        {
            data,
        };
        command.SetAction((parsed, cancellation) => DrainAsync(parsed.GetRequiredValue(data), cancellation));
        return command;
    }

    public static Command CreateSafeToStop()
    {
        var data = CommandLine.DataOption("The node's folder (DIR/nodes/NAME).");
        var command = new Command(
            "safe-to-stop", "Say whether every tile can do without this node: 'yes', or the tiles that forbid it.")
        {
            data,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var own = Open(parsed.GetRequiredValue(data), out var address);
            var asked = new HttpRequestMessage(HttpMethod.Get, $"https://{address}{OperatorEndpoints.SafetyPath}");
            using var answer = await SendAsync(own, asked, address, cancellation);
            await PrintAsync(answer, Console.Out, cancellation);
            return (int)(answer.StatusCode == HttpStatusCode.OK ? ExitCode.Done : ExitCode.NotSafe);
        });
        return command;
    }

    private static async Task<int> DrainAsync(string folder, CancellationToken cancellation)
    {
        using var own = Open(folder, out var address);
        var asked = new HttpRequestMessage(HttpMethod.Post, $"https://{address}{OperatorEndpoints.DrainPath}");
        using var answer = await SendAsync(own, asked, address, cancellation);
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            await PrintAsync(answer, Console.Error, cancellation);
            return (int)ExitCode.NotSafe;
        }

        string? last = null;
        try
        {
            last = await PrintAsync(answer, Console.Out, cancellation);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            // Whether it went well, the last line says.
        }

        return last == OperatorEndpoints.Drained
            ? (int)ExitCode.Done
            : throw new StartRefusedException(
                ExitCode.Unreachable, $"the node at {address} ended, and is not drained");
    }

    /// <summary>Prints what a node answers, line by line as it comes.</summary>
    /// <returns>The last line.</returns>
    private static async Task<string?> PrintAsync(
        HttpResponseMessage answer, TextWriter output, CancellationToken cancellation)
    {
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellation));
        string? last = null;
        while (await lines.ReadLineAsync(cancellation) is { } line)
            await output.WriteLineAsync(PeerWords.Text(last = line));
        return last;
    }

    private static HttpClient Open(string folder, out string address)
    {
        var identity = NodeIdentity.Read(folder);
        address = AddressFile.Read(folder) ?? throw new StartRefusedException(
            ExitCode.Unreachable, $"the node of {folder} has not been started yet");
        return new HttpClient(ClusterTls.CreateHandler(identity.Trust, identity.Certificate))
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient own, HttpRequestMessage asked, string address, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            return await own.SendAsync(asked, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException
            && !cancellation.IsCancellationRequested)
        {
            throw new StartRefusedException(
                ExitCode.Unreachable, $"nobody answers at {address}: the node does not run");
        }
    }
}
