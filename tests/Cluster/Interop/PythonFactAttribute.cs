using System.Diagnostics;
using Xunit;

namespace ChordChat.Tests.Cluster.Interop;

/// <summary>A test that is skipped, visibly, where Debian's gRPC for Python is not installed.</summary>
internal sealed class PythonFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> Installed = new(HasGrpc);

    public PythonFactAttribute()
    {
        if (!Installed.Value)
            Skip = $"{PythonPeer.Python} has no grpc; install python3-grpcio and python3-grpc-tools.";
    }

    private static bool HasGrpc()
    {
        if (!File.Exists(PythonPeer.Python))
            return false;
        using var probe = Process.Start(new ProcessStartInfo(PythonPeer.Python, ["-c", "import grpc, grpc_tools"])
        {
            RedirectStandardError = true,
        })!;
        probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode == 0;
    }
}
