using System.Globalization;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Commands;

/// <summary>What the doctor looks at inside the node's folder. Nothing is changed by it.</summary>
internal static class FolderChecks
{
    private static readonly Finding InUse = new(Verdict.Ok, "database", "in use by the running node");

    public static NodeIdentity? Identity(string data, out List<Finding> findings)
    {
        findings = [];
        try
        {
            var identity = NodeIdentity.Read(Path.GetFullPath(data));
            findings.Add(new(
                Verdict.Ok, "folder", $"{identity.Self.Name} of cluster {identity.Genesis.ShortName}, genesis signed"));
            if (!OperatingSystem.IsWindows())
                findings.Add(Privacy(data));
            return identity;
        }
        catch (StartRefusedException e)
        {
            findings.Add(new(Verdict.Fail, e.Code is ExitCode.WrongTime ? "clock" : "folder", e.Message));
            return null;
        }
    }

    /// <summary>Whether some process holds the folder.</summary>
    public static bool IsRunning(string data)
    {
        var path = Path.Combine(data, DataFolder.LockFile);
        if (!File.Exists(path))
            return false;
        try
        {
            using var held = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e is IOException held && PrivateFiles.IsHeld(held);
        }
    }

    public static Finding Database(string data, NodeIdentity identity, bool running)
    {
        if (DataFolder.QuarantinedBecause(data) is { } why)
            return new(
                Verdict.Fail, "database", $"not to be started: {why}",
                "remove the folder and join as a new node: 'cluster invite', 'cluster join'");
        if (DataFolder.IsDrained(data))
            return new(
                Verdict.Fail, "database", "not to be started: this node was drained, and has gone for good",
                "delete the folder; or its file 'drained', to let the node come back");
        if (running)
            return InUse;
        if (!File.Exists(Path.Combine(data, NodeDatabase.FileName)))
            return DataFolder.HasStarted(data)
                ? new(Verdict.Fail, "database", "gone", "join as a new node: 'cluster invite', 'cluster join'")
                : new(Verdict.Ok, "database", "none yet; the first start makes it");
        try
        {
            return new(Verdict.Ok, "database", NodeDatabase.Inspect(Path.GetFullPath(data), identity.Self.Owner));
        }
        catch (StartRefusedException e)
        {
            // What a node writes while it is read may look like damage.
            return IsRunning(data) ? InUse : new(Verdict.Fail, "database", e.Message);
        }
    }

    /// <summary>Whether the node's own certificate was revoked, and what ends soon.</summary>
    public static IEnumerable<Finding> Certificates(NodeIdentity identity, DateTimeOffset now)
    {
        if (identity.Trust.Denied?.Of(identity.Self.Node) is { } denial)
        {
            yield return new(
                Verdict.Fail, "certificate", denial.InWords("this node's"),
                "remove the folder; the cluster's operator can invite this machine again: 'cluster invite'");
            yield break;
        }

        var warnings = Renewal.Warnings(identity.Certificate, identity.Self.Name, identity.Trust.Authority, now)
            .Select(warning => new Finding(Verdict.Warn, "certificate", warning.What, warning.Remedy)).ToArray();
        foreach (var warning in warnings)
            yield return warning;
        if (warnings.Length == 0)
            yield return new(Verdict.Ok, "certificate", string.Create(
                CultureInfo.InvariantCulture, $"valid until {identity.Certificate.NotAfter:yyyy-MM-dd}"));
    }

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static Finding Privacy(string data)
    {
        var exposed = Directory.GetFiles(data).Where(f => (File.GetUnixFileMode(f) & PrivateFiles.Others) != 0)
            .Where(f => Path.GetFileName(f) is var name && (name is "identity.key" or "secret" or DataFolder.LockFile
                || name.StartsWith(NodeDatabase.FileName, StringComparison.Ordinal))).ToArray();
        if (exposed.Length > 0)
            return new(Verdict.Fail, "privacy", $"others can use {string.Join(", ", exposed)}", "chmod 600 them");
        return (File.GetUnixFileMode(data) & PrivateFiles.Others) == 0
            ? new(Verdict.Ok, "privacy", "the folder is its owner's only")
            : new(Verdict.Warn, "privacy", "others can look into the folder, but not read key, secret and database",
                "chmod 700 it");
    }
}
