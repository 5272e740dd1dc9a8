using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Unit.StandIns;

public class StreamTests
{
    [Fact]
    public async Task Reading_all_yields_each_message_in_order_and_ends()
    {
        var read = new List<string>();
        await foreach (var message in new ListReader(["a", "b", "c"]).ReadAllAsync())
            read.Add(message);
        Assert.Equal(["a", "b", "c"], read);
    }

    [Fact]
    public async Task Reading_all_passes_the_token_to_the_reader()
    {
        var messages = new ListReader(["a"]).ReadAllAsync(new CancellationToken(canceled: true));
        await Assert.ThrowsAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in messages)
                Assert.Fail("Nothing is to be read with a cancelled token.");
        });
    }

    [Fact]
    public void Reading_all_of_nothing_is_refused_at_once() =>
        Assert.Throws<ArgumentNullException>(() => default(IAsyncStreamReader<string>)!.ReadAllAsync());

    [Fact]
    public async Task Moving_on_needs_no_token()
    {
        var reader = new ListReader(["a"]);
        Assert.True(await reader.MoveNext());
        Assert.Equal("a", reader.Current);
        Assert.False(await reader.MoveNext());
    }

    [Fact]
    public async Task A_writer_that_cannot_be_cancelled_says_so_instead_of_ignoring_the_token()
    {
        var writer = new ListWriter();
        IAsyncStreamWriter<string> stream = writer;
        using var cancellation = new CancellationTokenSource();

        await stream.WriteAsync("a", CancellationToken.None);
        await Assert.ThrowsAsync<NotSupportedException>(() => stream.WriteAsync("b", cancellation.Token));

        Assert.Equal(["a"], writer.Written);
    }

    [Fact]
    public void A_marshaller_of_either_kind_offers_both()
    {
        var simple = Marshallers.Create<string>(text => [.. text.Select(c => (byte)c)], bytes => $"{bytes.Length}");
        var contextual = Marshallers.Create(simple.ContextualSerializer, simple.ContextualDeserializer);
        Assert.Equal([97, 98], contextual.Serializer("ab"));
        Assert.Equal("2", contextual.Deserializer([97, 98]));
    }

    private sealed class ListReader(IReadOnlyList<string> messages) : IAsyncStreamReader<string>
    {
        private int _at = -1;

        public string Current => messages[_at];

        public Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Task.FromResult(++_at < messages.Count);
        }
    }

    private sealed class ListWriter : IAsyncStreamWriter<string>
    {
        public List<string> Written { get; } = [];

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(string message)
        {
            Written.Add(message);
            return Task.CompletedTask;
        }
    }
}
