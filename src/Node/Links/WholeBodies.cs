using System.Buffers;
using ChordChat.Core.Chat;
using ChordChat.Node.Base;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace ChordChat.Node.Links;

/// <summary>Waits for the one message of a call that everybody may make, before gRPC begins with it: it has to be
/// short, come soon, and only so many may be under way.</summary>
/// <remarks>docs/security.md, "What a call may cost". gRPC itself waits for ever for a message that does not end, and
/// so does Kestrel while other streams of the connection bring bytes. Safe for threads.</remarks>
internal sealed class WholeBodies(TimeProvider time)
{
    public const int BytesMax = 16 << 10;

    /// <summary>Calls of one address block (a /24, or a /48 of IPv6) that have not come to their end.</summary>
    public const int UnfinishedPerBlockMax = 256;

    private const int UnfinishedMax = 1_024;

    /// <summary>How long a body may take, and as long again for each <see cref="BytesMax"/> beyond the first that the
    /// call may have.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan MorePatience = TimeSpan.FromSeconds(1);

    private const int HeadBytes = 5; // gRPC's, before the message: a flag and its length.
    private const int Rest = 4 << 10; // Everything in a message beside its longest fields.

    /// <summary>By method; the others have <see cref="BytesMax"/>.</summary>
    private static readonly Dictionary<string, int> Longer = new()
    {
        ["/chordchat.v1.Chat/Register"] = ChatLimits.FirstKeyringBytesMax + ChatLimits.KeyLogEntryBytesMax + Rest,
        ["/chordchat.v1.Chat/PublishKeys"] = ChatLimits.KeyringBytesMax + ChatLimits.KeyLogEntryBytesMax + Rest,
    };

    private readonly FairPlaces _unfinished = new(UnfinishedPerBlockMax, UnfinishedMax, Patience / 2, time);

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var method = StrangersMethod(context);
        if (method?.Type == MethodType.DuplexStreaming)
            context.Features.Set<IRequestBodyPipeFeature>(new ShortFirstMessage(context.Request.BodyReader));
        if (method?.Type is not (MethodType.Unary or MethodType.ServerStreaming))
            await next(context);
        else if (await ReadAsync(context, Longer.GetValueOrDefault(method.FullName, BytesMax)) is { } fault)
            await context.EndAsync(fault);
        else
            await next(context);
    }

    /// <summary>Of calls that strangers may make; null for all others.</summary>
    internal static IMethod? StrangersMethod(HttpContext context)
    {
        if (context.GetEndpoint() is not { } endpoint || !Gate.OpenedTo(endpoint).HasFlag(Callers.Everybody)
            || !HttpProtocol.IsHttp2(context.Request.Protocol))
            return null;
        return context.GrpcMethod();
    }

    /// <returns>Why the call ends here; null when all of its message has come, and waits in the request's reader.
    /// </returns>
    private async Task<RpcException?> ReadAsync(HttpContext context, int bytesMax)
    {
        using var place = _unfinished.TryEnter(context.Connection.RemoteIpAddress);
        if (place is null)
            return CallFaults.TooManyCalls();
        using var patience = new CancellationTokenSource(
            Patience + (MorePatience * ((bytesMax - 1) / BytesMax)), time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted, place.Lost, patience.Token);
        var body = context.Request.BodyReader;
        try
        {
            while (true)
            {
                var read = await body.ReadAsync(ended.Token);
                var length = LengthIn(read.Buffer);
                var (here, isAll) = (read.Buffer.Length, read.IsCompleted);
                body.AdvanceTo(read.Buffer.Start, read.Buffer.End); // Seen, and still there for gRPC.
                if (length > bytesMax || here > bytesMax + HeadBytes)
                    return CallFaults.CallTooLarge(bytesMax);
                if (isAll)
                    return length + HeadBytes == here ? null : CallFaults.Invalid("this call takes one whole message");
            }
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            return patience.IsCancellationRequested ? CallFaults.CallTooSlow() : CallFaults.TooManyCalls();
        }
        catch (BadHttpRequestException)
        {
            return CallFaults.CallTooLarge(bytesMax); // It says how long it will be, and that is beyond every limit.
        }
    }

    /// <summary>What the message's head says; -1 before that is here.</summary>
    internal static long LengthIn(ReadOnlySequence<byte> body)
    {
        var reader = new SequenceReader<byte>(body);
        return reader.TryRead(out _) && reader.TryReadBigEndian(out int length) ? (uint)length : -1;
    }
}
