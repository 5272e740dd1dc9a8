using System.Threading.Channels;
using ChordChat.Node.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

/// <summary>docs/protocol.md#loops.</summary>
public sealed class LoopHostTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly HastyTime _time = new();
    private readonly LogLines<Loop> _lines = new((level, number, _) => $"{level} {number}");

    /// <summary>Also after a cancellation that is not the end of the node.</summary>
    [Fact]
    public async Task A_loop_that_breaks_off_begins_again_and_the_log_has_one_line_of_it()
    {
        var loop = new Loop(new InvalidOperationException("a fault"), new OperationCanceledException());
        using var host = new LoopHost<Loop>(loop, new LoopFaults<Loop>(_time, _lines), _time);
        await host.StartAsync(CancellationToken.None);
        for (var begun = 0; begun < 3; begun++)
            await loop.BegunAsync();
        Assert.False(host.ExecuteTask!.IsCompleted);
        await host.StopAsync(CancellationToken.None);
        Assert.Equal("Error 6030", Assert.Single(_lines.Said));
    }

    /// <summary>The database has too much to do now and then; that is nothing to report.</summary>
    [Fact]
    public async Task A_loop_that_asked_a_part_with_too_much_to_do_begins_again_without_a_line()
    {
        var loop = new Loop(new OverloadedException("the database"));
        using var host = new LoopHost<Loop>(loop, new LoopFaults<Loop>(_time, _lines), _time);
        await host.StartAsync(CancellationToken.None);
        await loop.BegunAsync();
        await loop.BegunAsync();
        await host.StopAsync(CancellationToken.None);
        Assert.Empty(_lines.Said);
    }

    [Fact]
    public async Task A_loop_that_has_nothing_left_to_do_is_not_run_again()
    {
        var loop = new Loop([null]);
        using var host = new LoopHost<Loop>(loop, new LoopFaults<Loop>(_time, _lines), _time);
        await host.StartAsync(CancellationToken.None);
        await host.ExecuteTask!.WaitAsync(Patience);
        await loop.BegunAsync();
        Assert.True(loop.IsIdle);
        Assert.Empty(_lines.Said);
    }

    [Fact]
    public async Task An_error_while_the_node_stops_is_the_end()
    {
        var loop = new Loop();
        using var host = new LoopHost<Loop>(loop, new LoopFaults<Loop>(_time, _lines), _time);
        await host.StartAsync(CancellationToken.None);
        await loop.BegunAsync();
        await host.StopAsync(CancellationToken.None);
        Assert.True(host.ExecuteTask!.IsCompletedSuccessfully);
        Assert.Empty(_lines.Said);
    }

    /// <summary>Ends each time as it is told, and after that works until it is stopped.</summary>
    /// <param name="ends">Null: in order.</param>
    private sealed class Loop(params Exception?[] ends) : ILoop
    {
        private readonly Channel<int> _begun = Channel.CreateUnbounded<int>();
        private int _count;

        public bool IsIdle => !_begun.Reader.TryPeek(out _);

        public Task<int> BegunAsync() => _begun.Reader.ReadAsync().AsTask().WaitAsync(Patience);

        public async Task RunAsync(CancellationToken stopping)
        {
            var count = _count++;
            _begun.Writer.TryWrite(count);
            if (count >= ends.Length)
                await Task.Delay(Timeout.InfiniteTimeSpan, stopping);
            if (ends[count] is { } fault)
                throw fault;
        }
    }
}
