using ChordChat.Node.Links;
using ChordChat.Tests.Unit.Base;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Xunit;

namespace ChordChat.Tests.Unit.Links;

/// <summary>docs/security.md, "What a call may cost": what kind of call it is the endpoint says, not the request.
/// </summary>
public sealed class UnreadAnswersTests
{
    [Theory]
    [InlineData("application/grpc")]
    [InlineData("application/grpc-web")]
    [InlineData("text/plain")]
    [InlineData(null)]
    public async Task A_pages_answer_that_nobody_takes_ends_whatever_its_request_claims(string? claimed)
    {
        using var lifetime = new Lifetime();
        var context = Context(lifetime, claimed);

        await new UnreadAnswers(new HastyTime()).InvokeAsync(context, _ => lifetime.Over.Task)
            .WaitAsync(TimeSpan.FromSeconds(30));

        Assert.True(lifetime.RequestAborted.IsCancellationRequested);
    }

    /// <summary>A session lasts for as long as it likes.</summary>
    [Theory]
    [InlineData("application/grpc")]
    [InlineData("text/plain")]
    public async Task A_stream_of_grpc_is_no_page_whatever_its_request_claims(string claimed)
    {
        using var lifetime = new Lifetime();
        var time = new CountedTimers();
        var text = Marshallers.StringMarshaller;
        var method = new Method<string, string>(MethodType.DuplexStreaming, "Chat", "Connect", text, text);
        var context = Context(lifetime, claimed, new GrpcMethodMetadata(typeof(string), method));

        var call = new UnreadAnswers(time).InvokeAsync(context, _ => lifetime.Over.Task);

        Assert.Equal(0, time.Count);
        lifetime.Over.SetResult();
        await call;
        Assert.False(lifetime.RequestAborted.IsCancellationRequested);
    }

    private static DefaultHttpContext Context(Lifetime lifetime, string? claimed, params object[] metadata)
    {
        var endpoint = new RouteEndpointBuilder(_ => Task.CompletedTask, RoutePatternFactory.Parse("/x"), 0);
        new Conventions(endpoint).OpenTo(Callers.Everybody).WithMetadata(metadata);
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        context.Request.ContentType = claimed;
        context.SetEndpoint(endpoint.Build());
        return context;
    }

    private sealed class Conventions(EndpointBuilder endpoint) : IEndpointConventionBuilder
    {
        public void Add(Action<EndpointBuilder> convention) => convention(endpoint);
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature, IDisposable
    {
        private readonly CancellationTokenSource _aborted = new();

        /// <summary>Ends when the answer was taken, or the call is aborted.</summary>
        public TaskCompletionSource Over { get; } = new();

        public CancellationToken RequestAborted
        {
            get => _aborted.Token;
            set => throw new NotSupportedException();
        }

        public void Abort()
        {
            _aborted.Cancel();
            Over.TrySetResult();
        }

        public void Dispose() => _aborted.Dispose();
    }

    private sealed class CountedTimers : TimeProvider
    {
        public int Count { get; private set; }

        public override ITimer CreateTimer(
            TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Count++;
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
        }
    }
}
