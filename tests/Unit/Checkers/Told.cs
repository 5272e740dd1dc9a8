using ChordChat.Tests.Checkers;

namespace ChordChat.Tests.Unit.Checkers;

/// <summary>Short words for histories: who was told what, from when to when (in seconds).</summary>
internal static class Told
{
    public static Operation<TCall, TAnswer> Ok<TCall, TAnswer>(TCall call, TAnswer answer, int from, int to) =>
        End(call, Outcome.Ok, answer, from, to);

    public static Operation<TCall, TAnswer> Refused<TCall, TAnswer>(TCall call, TAnswer answer, int from, int to) =>
        End(call, Outcome.Refused, answer, from, to);

    public static Operation<TCall, TAnswer> Nothing<TCall, TAnswer>(TCall call, int from, TAnswer? none = default) =>
        End(call, Outcome.Unknown, none, from, from);

    public static Operation<TCall, TAnswer> Unavailable<TCall, TAnswer>(
        TCall call, int from, int to, TAnswer? none = default) =>
        End(call, Outcome.Unavailable, none, from, to);

    private static Operation<TCall, TAnswer> End<TCall, TAnswer>(
        TCall call, Outcome outcome, TAnswer? answer, int from, int to) =>
        new Operation<TCall, TAnswer>("client", "x", call, TimeSpan.FromSeconds(from))
            .Return(outcome, answer, TimeSpan.FromSeconds(to));
}
