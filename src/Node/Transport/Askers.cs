using ChordChat.Node.Admission;
using ChordChat.Node.Chat;
using Grpc.Core;

namespace ChordChat.Node.Transport;

/// <summary>Who may ask about people: docs/protocol.md#passes.</summary>
internal sealed class Askers(Passes passes)
{
    public const string Header = "chordchat-pass-bin";

    /// <summary>Returns for holders of a pass, members and operators.</summary>
    /// <returns>Whose pass it is; null for members and operators.</returns>
    /// <exception cref="RpcException">UNAUTHENTICATED for everybody else.</exception>
    public string? Require(ServerCallContext context)
    {
        var caller = CallerIdentity.Of(context.GetHttpContext());
        return caller.MaySeeNames || caller.Node is not null ? null : HolderOf(context) ?? throw ChatFaults.NoPass();
    }

    private string? HolderOf(ServerCallContext context)
    {
        try
        {
            return passes.HolderOf(context.RequestHeaders.GetValueBytes(Header));
        }
        catch (FormatException)
        {
            return null; // Not base64.
        }
    }
}
