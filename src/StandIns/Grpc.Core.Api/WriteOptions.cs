namespace Grpc.Core;

[Flags]
public enum WriteFlags
{
    /// <summary>More messages follow at once: this one need not be flushed.</summary>
    BufferHint = 1,
    NoCompress = 2,
}

public class WriteOptions(WriteFlags flags = default)
{
    public static readonly WriteOptions Default = new();

    public WriteFlags Flags { get; } = flags;
}
