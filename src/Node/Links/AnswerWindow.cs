using ChordChat.Core.Chat;
using ChordChat.Wire;

namespace ChordChat.Node.Links;

/// <summary>Counts the calls of a link that were read and whose answers the other end has not taken yet, and the bytes
/// of those calls and answers. Past a limit no further call is read. Safe for threads.</summary>
/// <remarks>docs/operations.md, "Limits". What an answer will have is not known when the call is read, so room is kept
/// for it: a peer that asks for many large ones at once gets them one after the other. So is room for the call itself,
/// which may wait long for the disk.</remarks>
internal sealed class AnswerWindow(int callsMax, long bytesMax)
{
    private readonly Lock _turn = new();
    private int _calls;
    private long _bytes;
    private TaskCompletionSource? _room;

    /// <summary>An account holds two keyrings; every other register is smaller.</summary>
    private const int AccountBytesMax = (2 * ChatLimits.KeyringBytesMax) + (16 << 10);

    private bool IsFull => _calls >= callsMax || _bytes >= bytesMax;

    /// <summary>What an id that is to be buried counts beside its own bytes: it is work for the disk.</summary>
    private const int IdWorkBytes = 112;

    /// <summary>More than the tile, the id and the numbers of an added message take.</summary>
    private const int FrameBytes = 128;

    /// <summary>Room that is kept for a call, and for its answer, until the answer is there.</summary>
    public static int RoomFor(Call call) => Math.Max(RoomForAnswer(call), BytesOf(call));

    private static int BytesOf(Call call) => call.BodyCase is Call.BodyOneofCase.Add
        // The most frequent call, so it is added up quickly: a name has at most three bytes per character.
        ? FrameBytes + call.Add.Content.Length + (3 * (call.Add.Set.Length + call.Add.From.Length))
        : call.CalculateSize() + WorkBytes(call);

    private static int WorkBytes(Call call) => call.BodyCase switch
    {
        Call.BodyOneofCase.Acknowledge => call.Acknowledge.Ids.Count * IdWorkBytes,
        Call.BodyOneofCase.Forget => call.Forget.Ids.Count * IdWorkBytes,
        Call.BodyOneofCase.GetAges => call.GetAges.Ids.Count * IdWorkBytes,
        _ => 0,
    };

    private static int RoomForAnswer(Call call) => call.BodyCase switch
    {
        Call.BodyOneofCase.Scan or Call.BodyOneofCase.Missing or Call.BodyOneofCase.ListSessions => 256 << 10,
        Call.BodyOneofCase.Compare => Math.Min(call.Compare.Tiles.Count, 64) << 12,
        Call.BodyOneofCase.Pull => Math.Clamp(call.Pull.BytesMax, 1 << 10, 256 << 10),
        Call.BodyOneofCase.Prepare => RoomForRegister(call.Prepare.Key),
        Call.BodyOneofCase.Peek => RoomForRegister(call.Peek.Key),
        Call.BodyOneofCase.RenewLeases => call.RenewLeases.Renewals.Count << 7,
        _ => 1 << 10,
    };

    /// <summary>Waits until another call may be read.</summary>
    public ValueTask WaitAsync(CancellationToken cancellation)
    {
        lock (_turn)
        {
            if (!IsFull)
                return ValueTask.CompletedTask;
            _room ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return new(_room.Task.WaitAsync(cancellation));
        }
    }

    public void Took(int room) => Change(1, room);

    /// <summary>The answer waits to be sent.</summary>
    public void Answered(int room, int bytes) => Change(0, bytes - room);

    /// <summary>The other end has taken answers.</summary>
    public void Gave(int calls, long bytes) => Change(-calls, -bytes);

    /// <summary>Whether this register is an account.</summary>
    public static bool IsAccount(string key) => key.StartsWith("acct/", StringComparison.Ordinal);

    private static int RoomForRegister(string key) => IsAccount(key) ? AccountBytesMax : 64 << 10;

    private void Change(int calls, long bytes)
    {
        lock (_turn)
        {
            _calls += calls;
            _bytes += bytes;
            if (IsFull || _room is not { } room)
                return;
            _room = null;
            room.SetResult();
        }
    }
}
