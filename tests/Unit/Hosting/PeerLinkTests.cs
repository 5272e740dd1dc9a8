using ChordChat.Core.Ring;
using ChordChat.Node.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Unit.Hosting;

public sealed class PeerLinkTests
{
    /// <summary>HttpRequestException is what a write says whose connection the other end closes just then.</summary>
    [Theory]
    [InlineData(typeof(HttpRequestException))]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(NotSupportedException))]
    public async Task Whatever_breaks_a_link_it_is_made_again(Type breaks)
    {
        var tries = 0;
        var again = new TaskCompletionSource();
        await using var link = new PeerLink(
            new NodeId(1, 2),
            _ =>
            {
                if (Interlocked.Increment(ref tries) == 1)
                    throw (Exception)Activator.CreateInstance(breaks)!;
                again.TrySetResult();
                return null;
            },
            null!, // Nobody is there to shake hands with.
            TimeProvider.System, NullLogger.Instance);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!again.Task.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            link.Send(new(), _ => { }); // Ends at once while the link is down.
            await Task.WhenAny(again.Task, Task.Delay(20, limit.Token));
        }
    }
}
