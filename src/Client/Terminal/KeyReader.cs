using System.Threading.Channels;

namespace ChordChat.Client.Terminal;

/// <summary>Reads keys on a thread of its own, because the console offers no asynchronous way.</summary>
internal static class KeyReader
{
    public static void Start(ChannelWriter<KeyStroke> strokes)
    {
        var thread = new Thread(() => Read(strokes)) { IsBackground = true, Name = "keys" };
        thread.Start();
    }

    private static void Read(ChannelWriter<KeyStroke> strokes)
    {
        var gatherer = new KeyGatherer();
        try
        {
            while (true)
                foreach (var stroke in gatherer.Take(Console.ReadKey(intercept: true)))
                    if (!strokes.TryWrite(stroke))
                        return;
        }
        catch (Exception cause) when (cause is InvalidOperationException or IOException)
        {
            // The terminal is gone: the same as closing it.
            strokes.TryWrite(new KeyStroke(EditKey.EndOfInput));
        }
    }
}
