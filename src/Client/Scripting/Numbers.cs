using System.CommandLine;
using System.Globalization;

namespace ChordChat.Client.Scripting;

/// <summary>Bounds of the numbers that options take.</summary>
internal static class Numbers
{
    private const double SecondsMax = 1_000_000; // Eleven days; timers take no more than twice that.

    /// <summary>Takes 0 to 1,000,000 seconds.</summary>
    public static void Seconds(Option option) => Check(
        option,
        text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number is >= 0 and <= SecondsMax,
        $"must be a number of seconds from 0 to {SecondsMax:N0}");

    /// <summary>Takes whole numbers from 1 on.</summary>
    public static void AtLeastOne(Option option) => Check(
        option,
        text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1,
        "must be a whole number, 1 or more");

    private static void Check(Option option, Func<string, bool> isGood, string what) => option.Validators.Add(result =>
    {
        if (result.Tokens is [var token] && !isGood(token.Value))
            result.AddError($"{option.Name} {what}, not '{token.Value}'");
    });
}
