using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Operations;
using ChordChat.Node.Ring;
using ChordChat.Wire;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

/// <summary>docs/operations.md#the-same-at-all-nodes.</summary>
public sealed class ClusterSettingsTests
{
    private static readonly ClusterSettings Closed = Of(new() { ["Chat:Registration"] = "closed" });

    private readonly LogLines<SettingNews> _log = new((level, _, text) => $"{level} {text}");

    [Fact]
    public void What_docs_call_the_same_at_all_nodes_is_compared()
    {
        Assert.Equal(
            [
                "Ages:LateMax", "Ages:MendMax", "Ages:MessageAge", "Ages:PerRank", "Ages:TombstoneAge",
                "Chat:Presence", "Chat:Registration", "Steward:SplitBytes", "Steward:SplitPerNode", "preset",
            ],
            ClusterSettings.Default.Values.Keys);
        Assert.Empty(ClusterSettings.Default.Changed);
        Assert.Equal(KeyValuePair.Create("Chat:Registration", "Closed"), Assert.Single(Closed.Changed));
    }

    /// <summary>What another node tells may be anything: it becomes a line of the log and a file.</summary>
    [Theory]
    [InlineData("Chat:Registration", "Open", "Chat:Registration is Open there and Closed here")]
    [InlineData("Chat:Registration", "open", "Chat:Registration is Open there and Closed here")]
    [InlineData("Chat:Registration", "closed", null)]
    [InlineData("Chat:Registration", "\u001b[2J", null)]
    [InlineData("Chat:Registration", "", null)]
    [InlineData("Chat:BcryptCost", "14", null)]
    [InlineData("Ages:LateMax", "2.00:00:00", "Ages:LateMax is 2.00:00:00 there and 7.00:00:00 here")]
    [InlineData("Ages:LateMax", "-1", null)]
    [InlineData("Ages:LateMax", "15.00:00:00", null)] // Longer than tombstones are kept.
    [InlineData("Ages:LateMax", "11.00:00:00", null)] // With three days for calendars that differ.
    [InlineData("Ages:MessageAge", "00:00:00", null)]
    [InlineData("Ages:MessageAge", "00:00:00.0010000", null)]
    [InlineData("Ages:TombstoneAge", "3652059.00:00:00", null)]
    [InlineData("Ages:MendMax", "00:00:00", null)]
    [InlineData("Steward:SplitBytes", "1", null)]
    [InlineData("Steward:SplitPerNode", "2000000000", null)]
    [InlineData("preset", "Wan", "preset is wan there and lan here")]
    [InlineData("preset", "moon", null)]
    [InlineData("data", "/", null)]
    public void A_difference_is_one_that_a_node_can_have(string name, string value, string? said)
    {
        KeyValuePair<string, string>[] told = [KeyValuePair.Create(name, value)];
        Assert.Equal(said, Closed.Compare(told).SingleOrDefault()?.ToString());
    }

    [Fact]
    public void Ages_are_judged_together_and_what_no_node_can_have_is_named_and_not_taken_over()
    {
        KeyValuePair<string, string>[] longer =
        [
            KeyValuePair.Create("Ages:LateMax", "20.00:00:00"), KeyValuePair.Create("Ages:TombstoneAge", "40.00:00:00"),
        ];
        Assert.Equal(2, ClusterSettings.ToTakeOver(longer).Count);
        Assert.Empty(ClusterSettings.Absurd(longer));

        KeyValuePair<string, string>[] absurd =
            [KeyValuePair.Create("Ages:MessageAge", "00:00:00"), KeyValuePair.Create("Chat:Registration", "Closed")];
        Assert.Equal("Chat:Registration", Assert.Single(ClusterSettings.ToTakeOver(absurd)).Key);
        Assert.Equal("Ages:MessageAge", Assert.Single(ClusterSettings.Absurd(absurd)));
    }

    [Fact]
    public void Only_what_is_not_so_anyway_is_taken_over()
    {
        var taken = ClusterSettings.ToTakeOver([.. Closed.Values, KeyValuePair.Create("listen", "0.0.0.0:1")]);
        Assert.Equal(KeyValuePair.Create("Chat:Registration", "Closed"), Assert.Single(taken));
    }

    [Fact]
    public void The_same_difference_is_one_line_however_many_nodes_have_it_and_its_end_is_one_line()
    {
        var news = new SettingNews(ClusterSettings.Default, TimeProvider.System, _log);
        for (var beat = 0; beat < 3; beat++)
            foreach (var i in Enumerable.Range(1, 4))
                news.Hear(new NodeId(0, (ulong)i), $"n{i}", Told(i == 4 ? ClusterSettings.Default : Closed));
        Assert.StartsWith("Warning n1 has other settings than this node, but all nodes should have the same: "
            + "Chat:Registration is Closed there and Open here.", Assert.Single(_log.Said), StringComparison.Ordinal);

        foreach (var i in Enumerable.Range(1, 3))
            news.Hear(new NodeId(0, (ulong)i), $"n{i}", Told(ClusterSettings.Default));
        Assert.Equal(2, _log.Said.Count);
        Assert.StartsWith("Information n3 has the same settings", _log.Said[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_member_that_tells_something_new_each_time_does_not_fill_the_log()
    {
        var news = new SettingNews(ClusterSettings.Default, TimeProvider.System, _log);
        for (var i = 1; i < 1_000; i++)
            news.Hear(new NodeId(0, 1), "n1", Told(Of(new() { ["Steward:SplitBytes"] = $"{(1 << 20) + i}" })));
        Assert.Equal(2, _log.Said.Count);
        news.Hear(new NodeId(0, 5), "n5", Told(Closed)); // Nor does it take the lines of others.
        Assert.StartsWith("Warning n5 has other settings", _log.Said[2], StringComparison.Ordinal);
        news.Hear(new NodeId(0, 2), "n2", [.. Enumerable.Repeat(Told(Closed)[0], SettingNews.SettingsMax + 1)]);
        news.Hear(new NodeId(0, 3), "n3", []); // An older program.
        news.Hear(new NodeId(0, 4), "n4", [.. Told(Closed), .. Told(Closed)]);
    }

    private static List<ClusterSetting> Told(ClusterSettings settings) =>
        [.. settings.Values.Select(setting => new ClusterSetting { Name = setting.Key, Value = setting.Value })];

    private static ClusterSettings Of(Dictionary<string, string?> settings) =>
        ClusterSettings.Of(Preset.Lan, new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
}
