using System.Runtime.InteropServices;
using System.Text;
using ChordChat.Sdk;
using Microsoft.Win32.SafeHandles;

namespace ChordChat.Client.Terminal;

/// <summary>Standard output and error as this program needs them: a write that fails on standard output is told, one
/// that fails on standard error harms nobody.</summary>
internal static class Output
{
    /// <summary>The code of the failure that a reader who has left makes; there is nobody to tell it to.</summary>
    public const string Closed = "output_closed";

    private const string Failed = "output_failed";
    private const int BrokenPipe = 32; // EPIPE, on every Unix.
    private const string OwnOutput = "/proc/self/fd/1";

    /// <summary>Columns and rows of the terminal.</summary>
    public static (int Width, int Height) Size => Usable(Console.WindowWidth, Console.WindowHeight);

    /// <summary>The size to draw for: a terminal that does not know its size (a serial line, a terminal that a program
    /// made) says 0 by 0, and is taken for one of 80 columns by 24 rows.</summary>
    internal static (int Width, int Height) Usable(int width, int height) =>
        (width <= 0 ? 80 : Math.Max(width, 20), height <= 0 ? 24 : Math.Max(height, 2));

    /// <summary>Makes <see cref="Console.Out"/> throw <see cref="ChordChatException"/> when a write fails, and write
    /// each line at once.</summary>
    public static void Prepare()
    {
        Console.SetOut(new StreamWriter(Open(), Encoding, 64 * 1024) { AutoFlush = true });
        var error = new LenientStream(Console.OpenStandardError());
        Console.SetError(new StreamWriter(error, Encoding) { AutoFlush = true });
    }

    /// <summary>Whether something could not be written to standard output.</summary>
    public static bool IsFailure(Exception cause) => cause is ChordChatException { Code: Closed or Failed };

    /// <summary>A line on standard output.</summary>
    public static void Print(StyledLine line) =>
        Console.Out.WriteLine(Rows(line, Console.IsOutputRedirected ? null : Size.Width, TakesEscapes));

    /// <summary>A line on standard error. Whatever people or nodes wrote in it is made harmless.</summary>
    public static void Say(string text) => Console.Error.WriteLine(Rows(
        new StyledLine(2, new Span(Printable.Line(text), Style.Plain)),
        Console.IsErrorRedirected ? null : Size.Width, TakesEscapes));

    /// <summary>A line for programs on standard error, never broken.</summary>
    public static void SayWhole(string json) => Console.Error.WriteLine(Printable.Line(json));

    /// <summary>The rows of a line without colours, all but the first indented.</summary>
    /// <param name="width">Columns of the terminal; null where there is none.</param>
    internal static string Rows(StyledLine line, int? width, bool takesEscapes)
    {
        var rows = string.Join(Environment.NewLine, line.Rows(width ?? int.MaxValue, colours: false));
        return width is null || !takesEscapes ? rows : Ansi.WrapOff + rows + Ansi.WrapOn;
    }

    private static bool TakesEscapes => !OperatingSystem.IsWindows() && !IsDumb;

    /// <summary>Whether the terminal says that it understands nothing but lines.</summary>
    public static bool IsDumb =>
        !OperatingSystem.IsWindows() && Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";

    /// <summary>A question on standard error; its answer stands behind it.</summary>
    public static void Ask(string prompt) => Console.Error.Write(Printable.Line(prompt));

    /// <summary>Standard output as a stream whose failures are <see cref="ChordChatException"/>.</summary>
    public static Stream Open() => new OutputStream(OpenRaw());

    /// <summary>Fails as the next write would when nobody reads standard output any more.</summary>
    public static void CheckReader()
    {
        if (OperatingSystem.IsWindows() || !Console.IsOutputRedirected)
            return;
        var files = new PollFile { File = 1 };
        // Events 0: only errors are asked for, and a pipe without a reader is one.
        if (Poll(ref files, 1, 0) == 1 && (files.Returned & PollFile.Error) != 0)
            throw Failure(new IOException("Broken pipe", BrokenPipe));
    }

    private static Encoding Encoding => OperatingSystem.IsWindows() ? Console.OutputEncoding : new UTF8Encoding(false);

    /// <summary>The console's own stream keeps quiet about pipes without a reader, so pipes go past it. Files do not:
    /// it writes where the file's position is, which other programs share.</summary>
    private static Stream OpenRaw()
    {
        if (OperatingSystem.IsWindows() || !Console.IsOutputRedirected)
            return Console.OpenStandardOutput();
        try
        {
            var pipe = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            return pipe.CanSeek ? Console.OpenStandardOutput() : pipe;
        }
        catch (Exception cause) when (cause is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return Console.OpenStandardOutput();
        }
    }

    private static ChordChatException Failure(Exception cause) => cause.HResult == BrokenPipe
        ? new(Closed, "nobody reads the output any more", "what was not written comes again next time", cause)
        : new(
            Failed, $"the output cannot be written: {cause.Message}",
            "make room for it or send it elsewhere; what was not written comes again next time", cause);

    /// <summary>For a command that has done something of which its output would only have told.</summary>
    /// <param name="hint">What to do, since it was done.</param>
    public static ChordChatException AfterTheFact(ChordChatException failure, string hint) =>
        new(Failed, failure.Message, hint, failure);

    /// <summary>Begins a line of its own where an earlier program's last one was torn off by a full disk.</summary>
    public static void BeginLine()
    {
        if (Console.IsOutputRedirected && EndsInsideALine(OwnOutput))
            Console.Out.WriteLine();
    }

    /// <summary>Whether this is a file whose last line has no end.</summary>
    internal static bool EndsInsideALine(string path)
    {
        try
        {
            if (new FileInfo(path).ResolveLinkTarget(true) is not FileInfo { Length: > 0 })
                return false;
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            file.Seek(-1, SeekOrigin.End);
            return file.ReadByte() is >= 0 and not '\n';
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return false; // No file, or not readable: nothing is known.
        }
    }

    [DllImport("libc", EntryPoint = "poll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Poll(ref PollFile files, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFile
    {
        public const short Error = 8; // POLLERR

        public int File;
        public short Asked;
        public short Returned;
    }

    private sealed class OutputStream(Stream inner) : WritingStream
    {
        public override void Write(ReadOnlySpan<byte> bytes)
        {
            try
            {
                inner.Write(bytes);
                inner.Flush();
            }
            catch (Exception cause) when (cause is IOException or UnauthorizedAccessException) // Closed from the start.
            {
                throw Failure(cause);
            }
        }
    }

    private sealed class LenientStream(Stream inner) : WritingStream
    {
        public override void Write(ReadOnlySpan<byte> bytes)
        {
            try
            {
                inner.Write(bytes);
            }
            catch (IOException)
            {
                // A full or closed standard error: what it would have said is lost, the work is not.
            }
        }
    }
}
