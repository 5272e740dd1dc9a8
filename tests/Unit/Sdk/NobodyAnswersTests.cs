using ChordChat.Sdk;
using ChordChat.Sdk.Nodes;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, First contact: what a person is told when no node answers.</summary>
public sealed class NobodyAnswersTests
{
    [Fact]
    public async Task The_addresses_of_the_profile_and_the_environment_are_named_each_once()
    {
        var cause = await FailAsync(
            new NodeSearch { FromEnvironment = ["127.0.0.1:2", "127.0.0.1:3"], AskNetwork = false },
            new("127.0.0.1:1", "AB"), new("127.0.0.1:2", null));
        Assert.Equal(
            ("unreachable", "no node answers at 127.0.0.1:1, 127.0.0.1:2, 127.0.0.1:3"), (cause.Code, cause.Message));
        Assert.EndsWith("./startup.sh, or name a node with --node HOST:PORT", cause.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_addresses_three_are_named()
    {
        var search = new NodeSearch { Explicit = [.. Enumerable.Range(1, 5).Select(port => $"127.0.0.1:{port}")] };
        Assert.Equal(
            "no node answers at 127.0.0.1:1, 127.0.0.1:2, 127.0.0.1:3 and 2 more", (await FailAsync(search)).Message);
    }

    [Fact]
    public async Task A_single_address_is_to_be_checked()
    {
        var cause = await FailAsync(new NodeSearch { Explicit = ["127.0.0.1:1"] });
        Assert.Equal("no node answers at 127.0.0.1:1", cause.Message);
        Assert.StartsWith("check the address, or start the cluster with ", cause.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void The_built_in_addresses_are_named_only_if_there_are_no_others()
    {
        Assert.Equal(["a:1", "b:2"], NodeFinder.Named([["a:1"], ["b:2", "A:1"], NodeFinder.DefaultAddresses]));
        Assert.Equal(NodeFinder.DefaultAddresses, NodeFinder.Named([NodeFinder.DefaultAddresses]));
    }

    /// <summary>As startup.sh itself says it: without the variables it would mean another cluster.</summary>
    [Fact]
    public void The_command_that_starts_the_cluster_names_its_folder()
    {
        Assert.Equal("./startup.sh", StartupCommand.Of("", _ => null));
        Assert.Equal("./startup.sh status", StartupCommand.Of("status", _ => ""));
        Assert.Equal(
            "CHORDCHAT_HOME='/tmp/my chat' CHORDCHAT_BUILT=/tmp/bin ./startup.sh",
            StartupCommand.Of("", name => name switch
            {
                "CHORDCHAT_HOME" => "/tmp/my chat",
                "CHORDCHAT_BUILT" => "/tmp/bin",
                _ => null,
            }));
    }

    private static async Task<ChordChatException> FailAsync(NodeSearch search, params KnownNode[] kept)
    {
        var pool = new NodePool(search, new ClusterTrust(null), kept);
        return await Assert.ThrowsAsync<ChordChatException>(() => pool.OpenAsync(null, CancellationToken.None));
    }
}
