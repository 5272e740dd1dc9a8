using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace ChordChat.Tests.Cluster.Interop;

/// <summary>A client that shares no line of code with us: Debian's Python, its gRPC and our proto files.</summary>
internal static class PythonPeer
{
    /// <summary>Debian's own; another Python on the path would not have Debian's packages.</summary>
    public const string Python = "/usr/bin/python3";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "interop");

    /// <summary>Calls one method of the Chat service and returns what ask_chat.py prints.</summary>
    /// <param name="address">host:port; the host must be a name in the server's certificate.</param>
    /// <param name="authority">Who issued the server's certificate.</param>
    public static async Task<JsonNode> AskAsync(
        string address, X509Certificate2 authority, string method, JsonObject? request = null)
    {
        var pem = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(pem, authority.ExportCertificatePem());
            return await RunAsync(
                Path.Combine(Folder, "ask_chat.py"),
                Path.Combine(Folder, "protos"),
                address,
                pem,
                method,
                request?.ToJsonString() ?? "{}");
        }
        finally
        {
            File.Delete(pem);
        }
    }

    private static async Task<JsonNode> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return process.ExitCode == 0
            ? JsonNode.Parse(await output)!
            : throw new InvalidOperationException($"{arguments[0]} ended with {process.ExitCode}: {await errors}");
    }
}
