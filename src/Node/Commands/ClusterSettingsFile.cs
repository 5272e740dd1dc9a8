using System.Diagnostics;
using System.Text.Json;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;

namespace ChordChat.Node.Commands;

/// <summary>Writes into a new node's appsettings.json what is to be the same at all nodes, as a node that runs has
/// it.</summary>
/// <remarks>docs/operations.md#the-same-at-all-nodes.</remarks>
internal static class ClusterSettingsFile
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true };

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Asks the node at an address, as the new node, for what is to be the same at all.</summary>
    /// <param name="patience">How long it asks again when there is no answer.</param>
    /// <exception cref="StartRefusedException">There is none.</exception>
    public static async Task<IReadOnlyDictionary<string, string>> AskAsync(
        NodeIdentity identity, string address, TimeSpan patience, CancellationToken cancellation)
    {
        using var peers = new PeerChecks(identity);
        for (var waited = Stopwatch.StartNew(); ;)
        {
            if (await peers.SettingsAsync(address, cancellation) is { } told)
                return told;
            if (waited.Elapsed + Pause > patience)
                throw new StartRefusedException(
                    ExitCode.Unreachable, $"{address} did not tell its settings, and a node must not run without those "
                    + "that are to be the same at all nodes.");
            await Task.Delay(Pause, cancellation);
        }
    }

    /// <summary>Writes what another node told into a new node's folder, before the folder can be started.</summary>
    /// <returns>What was written, or why nothing was, in words; nothing when all is as it is anyway.</returns>
    public static IReadOnlyList<string> Write(
        string folder, string address, IReadOnlyCollection<KeyValuePair<string, string>> told)
    {
        var settings = ClusterSettings.ToTakeOver(told);
        var absurd = string.Join(", ", ClusterSettings.Absurd(told));
        string[] refused = absurd.Length == 0 ? [] : [$"{address} has settings with values that no node can "
            + $"have; they were not taken over: {absurd}. Compare them with another node's before you start this node"];
        if (settings.Count == 0)
            return refused;
        if (File.Exists(FileIn(folder)))
            return [.. refused, $"{FileIn(folder)} exists already and was left as it is; {address} has "
                + InWords(settings)];
        PrivateFiles.CreateFolder(folder);
        PrivateFiles.Write(
            FileIn(folder), [.. JsonSerializer.SerializeToUtf8Bytes(Nested(settings), Format), (byte)'\n']);
        return [.. refused, $"{FileIn(folder)} now has the settings of {address} that should be the same at all "
            + $"nodes: {InWords(settings)}"];
    }

    private static string FileIn(string folder) => Path.Combine(folder, "appsettings.json");

    private static string InWords(IReadOnlyDictionary<string, string> settings) =>
        string.Join(", ", settings.Select(setting => $"{setting.Key} {setting.Value}"));

    /// <summary>"Chat:Registration" is "Registration" in the section "Chat".</summary>
    private static SortedDictionary<string, object> Nested(IReadOnlyDictionary<string, string> settings)
    {
        var nested = new SortedDictionary<string, object>(StringComparer.Ordinal);
        foreach (var (name, value) in settings)
            if (name.Split(':') is [var section, var within])
            {
                nested.TryAdd(section, new SortedDictionary<string, string>(StringComparer.Ordinal));
                ((SortedDictionary<string, string>)nested[section])[within] = value;
            }
            else
            {
                nested[name] = value;
            }

        return nested;
    }
}
