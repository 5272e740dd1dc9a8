using System.Text.RegularExpressions;

namespace ChordChat.Node.Identity;

/// <summary>What a person wants a new cluster to be.</summary>
/// <param name="Names">Its founders; from n1 on when none are given.</param>
/// <param name="BackupCount">K.</param>
internal sealed partial record ClusterPlan(
    IReadOnlyList<string> Names, int BackupCount, SessionPolicy Policy, bool Demo)
{
    public const int FoundersMax = 64;
    public const int BackupCountMax = 6;

    /// <summary>Everything wrong with these values, not only the first thing.</summary>
    public IEnumerable<string> Problems()
    {
        if (Names.Count is < 1 or > FoundersMax)
            yield return $"--nodes is {Names.Count}; a cluster starts with 1 to {FoundersMax} nodes, more can join "
                + "later.";
        foreach (var name in Names.Where(n => !IsName(n)))
            yield return NameProblem(name);
        foreach (var twice in Names.GroupBy(n => n).Where(g => g.Count() > 1))
            yield return $"the name {twice.Key} is given twice; names tell nodes apart.";
        if (BackupCount is < 0 or > BackupCountMax)
            yield return $"--replicas is {BackupCount}; it must be 0 to {BackupCountMax}, 2 means three copies of "
                + "everything.";
        else if (BackupCount >= Names.Count && Names.Count > 0)
            yield return $"--replicas is {BackupCount}, which needs {BackupCount + 1} nodes to start with, not "
                + $"{Names.Count}.";
    }

    public static bool IsName(string name) => NamePattern().IsMatch(name);

    public static string NameProblem(string name) =>
        $"'{name}' is no name for a node: 1 to 32 of a-z, 0-9 and -, starting with a letter.";

    [GeneratedRegex(@"^[a-z][a-z0-9-]{0,31}\z")]
    private static partial Regex NamePattern();
}
