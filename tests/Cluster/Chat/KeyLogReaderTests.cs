using ChordChat.Core.Chat;
using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>docs/protocol.md#one-copy-of-a-log: what a single copy shows of a key log is believed only if it fits, and
/// is gone with the call.</summary>
public sealed class KeyLogReaderTests : IAsyncLifetime
{
    private readonly ChatCluster _cluster = new(1);
    private readonly ChatUser _anna = new("anna");
    private Account _account = null!;
    private KeyLogReader _reader = null!; // Has read nothing yet.

    public async Task InitializeAsync()
    {
        await _cluster.InitializeAsync();
        await _cluster.Client(0).RegisterAsync(_anna.Registration());
        for (var i = 0; i < 2; i++)
        {
            var login = await _cluster.Client(0).LogInAsync(new() { User = "anna", Secret = _anna.Secret });
            await _cluster.Client(0).PublishKeysAsync(_anna.Publication(login.Ticket));
        }

        _reader = new(_cluster.Replication, _cluster.Replication, _cluster.Get<ClientProofs>(0));
        var read = await _cluster.Replication.ReadAsync(RegisterKey.Account("anna"), CancellationToken.None);
        _account = Account.FromBytes(Assert.IsType<ReadOutcome.Agreed>(read).Value);
    }

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task What_one_copy_makes_up_is_not_believed_and_not_kept(int number)
    {
        var key = RegisterKey.KeyLog("anna", (ulong)number);
        _cluster.Replication.IsCut = true;
        foreach (var lie in Lies(number))
        {
            _cluster.Replication.Shown[key] = new(lie);
            await Assert.ThrowsAsync<NoMajorityException>(() => ReadAsync());
            Assert.True((await _reader.ReadOldAsync(_account, (ulong)number, CancellationToken.None)).IsEmpty);

            _cluster.Replication.Shown[key] = new(lie) { Others = [_anna.Log[number].Bytes] };
            Assert.Equal(Log, await ReadAsync());
            Assert.Equal(Log[number], Hex(await _reader.ReadOldAsync(_account, (ulong)number, CancellationToken.None)));
        }

        _cluster.Replication.IsCut = false;
        Assert.Equal(Log, await ReadAsync());
    }

    [Fact]
    public async Task What_a_majority_agreed_on_is_read_once()
    {
        Assert.Equal(Log, await ReadAsync());
        _cluster.Replication.IsCut = true;
        foreach (var number in (ulong[])[0, 1])
            _cluster.Replication.Shown[RegisterKey.KeyLog("anna", number)] = new(new byte[9]);
        Assert.Equal(Log, await ReadAsync());
        Assert.Equal(Log[1..], (await _reader.ReadAsync(_account, 1, CancellationToken.None)).Select(Hex));
    }

    private string[] Log => [.. _anna.Log.Select(entry => Hex(entry.Bytes))];

    private async Task<IEnumerable<string>> ReadAsync() =>
        (await _reader.ReadAsync(_account, 0, CancellationToken.None)).Select(Hex);

    /// <summary>Bytes, another user's entry of the same number, and one that anna signed, of another number.</summary>
    private IEnumerable<ReadOnlyMemory<byte>> Lies(int number)
    {
        var other = new ChatUser("bert");
        other.Registration();
        other.Publication(Google.Protobuf.ByteString.Empty);
        return [new byte[9], other.Log[number].Bytes, _anna.Log[1 - number].Bytes];
    }

    private static string Hex(ReadOnlyMemory<byte> bytes) => Convert.ToHexString(bytes.Span);
}
