using ChordChat.Crypto.Messages;
using Xunit;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md#direct-envelope.</summary>
public sealed class EnvelopeIdTests
{
    [Fact]
    public void An_id_begins_with_the_time_and_is_never_given_twice()
    {
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var ids = Enumerable.Range(0, 10_000).Select(_ => EnvelopeId.New()).ToList();
        var after = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        Assert.All(ids, id => Assert.InRange((long)(id.Value >> 80), before, after));
        Assert.Equal(ids.Count, ids.Distinct().Count());
    }
}
