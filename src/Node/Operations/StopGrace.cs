namespace ChordChat.Node.Operations;

/// <summary>A stopping node lets its callers hear so, and then ends calls that would go on for ever: a link between
/// nodes or a session is one endless call.</summary>
internal static class StopGrace
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(800);

    public static void UseStopGrace(this WebApplication app)
    {
        var late = new CancellationTokenSource(); // As long as the process.
        app.Lifetime.ApplicationStopping.Register(() => late.CancelAfter(Grace));
        app.Use(async (context, next) =>
        {
            await using var ending = late.Token.UnsafeRegister(
                static context => ((HttpContext)context!).Abort(), context);
            await next(context);
        });
    }
}
