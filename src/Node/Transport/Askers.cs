using ChordChat.Node.Admission;
using ChordChat.Node.Chat;
using Grpc.Core;

namespace ChordChat.Node.Transport;

/// <summary>Who may ask about people: docs/protocol.md#passes.</summary>
internal sealed class Askers(Passes passes)
{
    public const string Header = "chordchat-pass-bin";

    /// <summary>Returns for holders of a pass, members and operators.</summary>
    /// <exception cref="RpcException">UNAUTHENTICATED for everybody else.</exception>
    public void Require(ServerCallContext context)
    {
        var caller = CallerIdentity.Of(context.GetHttpContext());
        if (!caller.MaySeeNames && caller.Node is null && HolderOf(context) is null)
            throw ChatFaults.NoPass();
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
