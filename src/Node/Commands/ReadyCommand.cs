using System.CommandLine;
using System.Net;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Commands;

/// <summary>ready: whether the node in a folder runs and can keep a message, for scripts and container
/// engines.</summary>
internal static class ReadyCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    public static Command Create()
    {
        var data = CommandLine.DataOption("The node's folder (DIR/nodes/NAME).");
        var alive = new Option<bool>("--alive")
        {
            Description = "Ask only whether the process answers, not whether it can reach a majority of copies.",
            Arity = ArgumentArity.Zero,
        };
        var command = new Command("ready", "Say whether the node in a folder is ready; exit code 0 only when it is.")
        {
            data, alive,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetValue(alive) ? "/healthz" : "/readyz";
            var (isReady, text) = await AskAsync(parsed.GetRequiredValue(data), path, cancellation);
            Console.WriteLine(text);
            return isReady ? (int)ExitCode.Done : (int)ExitCode.Unreachable;
        });
        return command;
    }

    /// <summary>Asks the node of the folder, and no other that answers at its address by now.</summary>
    public static async Task<(bool IsReady, string Text)> AskAsync(
        string folder, string path, CancellationToken cancellation)
    {
        var identity = NodeIdentity.Read(folder);
        if (AddressFile.Read(folder) is not { } address)
            return (false, "it has not been started yet");
        string? other = null;
        var handler = ClusterTls.CreateHandler(identity.Trust, null, node =>
        {
            other = node.Node == identity.Self.Node ? null : node.Name;
            return other is null;
        });
        using var client = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using var answer = await client.GetAsync(new Uri($"https://{address}{path}"), cancellation);
            var text = (await answer.Content.ReadAsStringAsync(cancellation)).Trim();
            return (answer.StatusCode == HttpStatusCode.OK, PeerWords.Text(text));
        }
        catch (HttpRequestException)
        {
            return (false, other is null
                ? $"nobody answers at {address}"
                : $"another node ({other}) answers at {address}");
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (false, $"no answer from {address} within {Patience.TotalSeconds:0} s");
        }
    }
}
