namespace Grpc.Core;

/// <summary>How a call ended: a code for programs, a sentence for people.</summary>
public readonly struct Status
{
    public static readonly Status DefaultSuccess = new(StatusCode.OK, "");
    public static readonly Status DefaultCancelled = new(StatusCode.Cancelled, "");

    private readonly string? _detail;

    public Status(StatusCode statusCode, string? detail)
        : this(statusCode, detail, null)
    {
    }

    public Status(StatusCode statusCode, string? detail, Exception? debugException)
    {
        StatusCode = statusCode;
        _detail = detail;
        DebugException = debugException;
    }

    public StatusCode StatusCode { get; }

    /// <summary>Never null, not even in <c>default(Status)</c>.</summary>
    public string Detail => _detail ?? "";

    /// <summary>What went wrong on this side of the wire; it is never sent.</summary>
    public Exception? DebugException { get; }

    public override string ToString()
    {
        var text = $"Status(StatusCode=\"{StatusCode}\", Detail=\"{Detail}\"";
        return DebugException is null ? text + ")" : $"{text}, DebugException=\"{DebugException}\")";
    }
}
