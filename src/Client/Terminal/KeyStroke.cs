using System.Text;

namespace ChordChat.Client.Terminal;

internal enum EditKey
{
    Ignored,
    Text,
    Paste,
    Enter,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    KillToEnd,
    KillToStart,
    KillWord,
    ClearScreen,
    Interrupt,
    EndOfInput,
}

/// <summary>One key as the editor understands it; <see cref="Text"/> is what <see cref="EditKey.Text"/> types and
/// <see cref="EditKey.Paste"/> inserts.</summary>
internal readonly record struct KeyStroke(EditKey Key, string Text = "")
{
    /// <summary>Translates what the console reports. A surrogate pair comes as two keys: see <see cref="KeyReader"/>.
    /// </summary>
    public static KeyStroke From(ConsoleKeyInfo key)
    {
        var control = key.Modifiers.HasFlag(ConsoleModifiers.Control);
        var alt = key.Modifiers.HasFlag(ConsoleModifiers.Alt);
        var edit = key.Key switch
        {
            ConsoleKey.Enter => EditKey.Enter,
            ConsoleKey.Tab => EditKey.Tab,
            ConsoleKey.Backspace => alt || control ? EditKey.KillWord : EditKey.Backspace,
            ConsoleKey.Delete => EditKey.Delete,
            ConsoleKey.LeftArrow => control || alt ? EditKey.WordLeft : EditKey.Left,
            ConsoleKey.RightArrow => control || alt ? EditKey.WordRight : EditKey.Right,
            ConsoleKey.Home => EditKey.Home,
            ConsoleKey.End => EditKey.End,
            ConsoleKey.UpArrow => EditKey.Up,
            ConsoleKey.DownArrow => EditKey.Down,
            _ => ByCharacter(key, control, alt),
        };
        return edit == EditKey.Text ? new KeyStroke(edit, key.KeyChar.ToString()) : new KeyStroke(edit);
    }

    /// <summary>The same strokes, with characters typed one after the other as one: inserting has its price.</summary>
    public static IEnumerable<KeyStroke> Merge(IEnumerable<KeyStroke> strokes)
    {
        var typed = new StringBuilder();
        foreach (var stroke in strokes)
        {
            if (stroke.Key == EditKey.Text)
            {
                typed.Append(stroke.Text);
                continue;
            }

            if (typed.Length > 0)
                yield return new KeyStroke(EditKey.Text, typed.ToString());
            typed.Clear();
            yield return stroke;
        }

        if (typed.Length > 0)
            yield return new KeyStroke(EditKey.Text, typed.ToString());
    }

    private static EditKey ByCharacter(ConsoleKeyInfo key, bool control, bool alt) => key.KeyChar switch
    {
        '\r' or '\n' => EditKey.Enter,
        '\t' => EditKey.Tab,
        '\u007f' or '\b' => EditKey.Backspace,
        '\u0001' => EditKey.Home,
        '\u0002' => EditKey.Left,
        '\u0003' => EditKey.Interrupt,
        '\u0004' => EditKey.EndOfInput,
        '\u0005' => EditKey.End,
        '\u0006' => EditKey.Right,
        '\u000b' => EditKey.KillToEnd,
        '\u000c' => EditKey.ClearScreen,
        '\u000e' => EditKey.Down,
        '\u0010' => EditKey.Up,
        '\u0015' => EditKey.KillToStart,
        '\u0017' => EditKey.KillWord,
        'b' when alt => EditKey.WordLeft,
        'f' when alt => EditKey.WordRight,
        < ' ' => EditKey.Ignored,
        _ when control && !alt => EditKey.Ignored,
        _ => EditKey.Text,
    };
}
