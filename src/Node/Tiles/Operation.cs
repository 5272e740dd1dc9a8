using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Node.Tiles;

/// <summary>Drives one coordinator: carries out its effects and feeds it what comes back, one input at a
/// time.</summary>
/// <remarks>Inputs come from many threads; whoever finds the coordinator free works off what has gathered. Such threads
/// serve others, too, so an error of the program in a step ends this operation and nothing else.</remarks>
/// <param name="after">Called after every step, never twice at once: look at the coordinator's outcome.</param>
/// <param name="failed">Called once, instead, if a step throws: then there will be no outcome.</param>
/// <param name="deliver">Gets the messages of a scan.</param>
internal sealed class Operation(
    Coordinator coordinator,
    ReplicaCalls calls,
    TileDirectory directory,
    TimeProvider time,
    Action after,
    Action<Exception> failed,
    Action<IReadOnlyList<SetMessage>>? deliver = null)
{
    private readonly Lock _turn = new();
    private readonly Queue<Input> _inputs = new();
    private ITimer? _timer;
    private bool _busy;
    private bool _ended;

    private enum Kind
    {
        Start,
        Reply,
        Timeout,
        Taken,
    }

    /// <summary>Runs a coordinator whose outcome is its effects, and waits for its end; one that is cancelled, or whose
    /// step throws, does nothing more.</summary>
    public static async Task RunAsync(
        Coordinator coordinator,
        ReplicaCalls calls,
        TileDirectory directory,
        TimeProvider time,
        CancellationToken cancellation)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var operation = new Operation(coordinator, calls, directory, time, () =>
        {
            if (coordinator.IsDone)
                ended.TrySetResult();
        }, _ => ended.TrySetResult());
        operation.Start();
        try
        {
            await ended.Task.WaitAsync(cancellation);
        }
        finally
        {
            operation.Cancel();
        }
    }

    public void Start() => Feed(new(Kind.Start));

    /// <summary>What was delivered last has been passed on; more may come.</summary>
    public void Taken() => Feed(new(Kind.Taken));

    /// <summary>Nobody wants the outcome any more.</summary>
    public void Cancel()
    {
        lock (_turn)
        {
            _ended = true;
            _inputs.Clear();
            _timer?.Dispose();
        }
    }

    private void Feed(Input input)
    {
        lock (_turn)
        {
            if (_ended)
                return;
            _inputs.Enqueue(input);
            if (_busy)
                return;
            _busy = true;
        }

        while (true)
        {
            lock (_turn)
            {
                if (_ended || !_inputs.TryDequeue(out input))
                {
                    _busy = false;
                    return;
                }
            }

            try
            {
                Step(input);
            }
            catch (Exception fault)
            {
                Fail(fault);
                return;
            }
        }
    }

    private void Fail(Exception fault)
    {
        Cancel();
        coordinator.Abandon();
        calls.Report(coordinator, fault);
        failed(fault);
    }

    private void Step(Input input)
    {
        Carry(input.Kind switch
        {
            Kind.Start => coordinator.Start(),
            Kind.Timeout => coordinator.OnTimeout(),
            Kind.Taken => coordinator.OnTaken(),
            _ when input.Reply is null => coordinator.OnUnreachable(input.From, input.Request!),
            _ => coordinator.On(input.From, input.Request!, input.Reply),
        });
        after();
        if (coordinator.IsDone)
            Cancel();
    }

    private void Carry(IReadOnlyList<Effect> effects)
    {
        foreach (var effect in effects)
            switch (effect)
            {
                case Effect.Send(var to, var request):
                    calls.Send(to, request, reply => Feed(new(Kind.Reply, to, request, reply)));
                    break;
                case Effect.SetTimer(var delay):
                    SetTimer(delay);
                    break;
                case Effect.Learned(var newest, var previous):
                    directory.Learn(newest, previous);
                    break;
                case Effect.Deliver(var messages):
                    deliver?.Invoke(messages);
                    break;
            }
    }

    private void SetTimer(TimeSpan delay)
    {
        lock (_turn)
        {
            if (_ended)
                return;
            if (_timer is null)
                _timer = time.CreateTimer(
                    static self => ((Operation)self!).Feed(new(Kind.Timeout)), this, delay, Timeout.InfiniteTimeSpan);
            else
                _timer.Change(delay, Timeout.InfiniteTimeSpan);
        }
    }

    private readonly record struct Input(
        Kind Kind, NodeId From = default, ReplicaRequest? Request = null, ReplicaReply? Reply = null);
}
