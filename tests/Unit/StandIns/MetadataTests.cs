using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Unit.StandIns;

public class MetadataTests
{
    [Fact]
    public void Keys_are_kept_in_lower_case()
    {
        var headers = new Metadata { { "Retry-After-Ms", "250" } };
        Assert.Equal("retry-after-ms", Assert.Single(headers).Key);
        Assert.Equal("250", headers.GetValue("retry-after-ms"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("colon:")]
    [InlineData("schlüssel")]
    [InlineData("line\n")]
    public void A_key_that_cannot_be_sent_is_refused(string key) =>
        Assert.Throws<ArgumentException>(() => new Metadata.Entry(key, "value"));

    [Theory]
    [InlineData("a")]
    [InlineData("grpc_status-details.v1")]
    [InlineData("0")]
    public void Letters_digits_underscores_hyphens_and_dots_make_a_key(string key) =>
        Assert.Equal(key, new Metadata.Entry(key, "value").Key);

    [Fact]
    public void A_binary_key_carries_bytes_and_only_bytes()
    {
        var entry = new Metadata.Entry("owner-bin", [0, 10, 255]);
        Assert.True(entry.IsBinary);
        Assert.Equal([0, 10, 255], entry.ValueBytes);
        Assert.Throws<InvalidOperationException>(() => entry.Value);
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("owner-bin", "text"));
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("owner", [1]));
    }

    [Fact]
    public void Bytes_are_copied_in_and_out()
    {
        byte[] given = [1, 2];
        var entry = new Metadata.Entry("owner-bin", given);
        given[0] = 9;
        entry.ValueBytes[1] = 9;
        Assert.Equal([1, 2], entry.ValueBytes);
    }

    [Fact]
    public void The_last_of_several_values_wins_and_all_are_kept_in_order()
    {
        var headers = new Metadata { { "node", "n1" }, { "other", "x" }, { "node", "n2" } };
        Assert.Equal("n2", headers.GetValue("node"));
        Assert.Equal(["n1", "n2"], headers.GetAll("node").Select(entry => entry.Value));
    }

    [Fact]
    public void What_is_missing_is_null()
    {
        var headers = new Metadata();
        Assert.Null(headers.Get("node"));
        Assert.Null(headers.GetValue("node"));
        Assert.Null(headers.GetValueBytes("node-bin"));
        Assert.Empty(headers.GetAll("node"));
    }

    [Fact]
    public void The_shared_empty_metadata_cannot_be_filled()
    {
        Assert.True(Metadata.Empty.IsReadOnly);
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("node", "n1"));
        Assert.Empty(Metadata.Empty);
    }

    [Fact]
    public void Metadata_is_a_list()
    {
        var (first, second) = (new Metadata.Entry("a", "1"), new Metadata.Entry("b", "2"));
        var headers = new Metadata { second };
        headers.Insert(0, first);
        Assert.Equal(1, headers.IndexOf(second));
        Assert.True(headers.Remove(first));
        headers[0] = first;
        Assert.Same(first, Assert.Single(headers));
        headers.Clear();
        Assert.Empty(headers);
    }
}
