using System.Text;

namespace ChordChat.Client.Terminal;

/// <summary>Makes strokes of the keys that the console reports: joins surrogates, and gathers what stands between the
/// marks of a bracketed paste, in which nothing is a command.</summary>
internal sealed class KeyGatherer
{
    private const string PasteBegin = "\u001b[200~";
    private const string PasteEnd = "\u001b[201~";

    private readonly List<ConsoleKeyInfo> _held = []; // May be the beginning of a mark.
    private StringBuilder? _pasted; // Null outside of a paste.
    private char _high;

    /// <returns>What this key completes; nothing as long as it may be part of something longer.</returns>
    public IReadOnlyList<KeyStroke> Take(ConsoleKeyInfo key) => _pasted is null ? Type(key) : Paste(key.KeyChar);

    /// <summary>What a paste inserts: line ends are line feeds, none at the end, and no other control signs.</summary>
    internal static string Clean(string pasted)
    {
        var text = pasted.ReplaceLineEndings("\n").Replace("\t", "    ", StringComparison.Ordinal).TrimEnd('\n');
        return text.Any(sign => char.IsControl(sign) && sign != '\n')
            ? string.Concat(text.Where(sign => !char.IsControl(sign) || sign == '\n'))
            : text;
    }

    private IReadOnlyList<KeyStroke> Type(ConsoleKeyInfo key)
    {
        if (key.KeyChar == PasteBegin[_held.Count])
        {
            _held.Add(key);
            if (_held.Count < PasteBegin.Length)
                return [];
            _held.Clear();
            _pasted = new StringBuilder();
            return [];
        }

        if (_held.Count == 0)
            return Single(key);
        var held = _held.ToArray();
        _held.Clear();
        return [.. held.SelectMany(Single), .. Type(key)];
    }

    private IReadOnlyList<KeyStroke> Single(ConsoleKeyInfo key)
    {
        if (char.IsHighSurrogate(key.KeyChar))
        {
            _high = key.KeyChar;
            return [];
        }

        return char.IsLowSurrogate(key.KeyChar)
            ? [new KeyStroke(EditKey.Text, new string([_high, key.KeyChar]))]
            : [KeyStroke.From(key)];
    }

    private IReadOnlyList<KeyStroke> Paste(char sign)
    {
        _pasted!.Append(sign);
        if (sign != PasteEnd[^1] || !EndsWithMark(_pasted))
            return [];
        var text = Clean(_pasted.ToString(0, _pasted.Length - PasteEnd.Length));
        _pasted = null;
        return [new KeyStroke(EditKey.Paste, text)];
    }

    private static bool EndsWithMark(StringBuilder text) => text.Length >= PasteEnd.Length
        && text.ToString(text.Length - PasteEnd.Length, PasteEnd.Length) == PasteEnd;
}
