using System.Diagnostics;

namespace OpenWop.Micro.Gateway.Routing;

/// <summary>
/// Tells every client the trace that its call belongs to, with whatever the answer is (spec/runs-streams-replay.md 9.1): the one that it
/// has named in <c>traceparent</c>, else a new one. Calls to the services behind carry the same.
/// </summary>
internal sealed class TraceMiddleware(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        // The server begins one itself, unless nobody logs; or with an id of another form, for a header that is not W3C.
        using var own = Activity.Current is { IdFormat: ActivityIdFormat.W3C } ? null : Begin(context.Request.Headers);
        context.Response.OnStarting(Tell, (context.Response, Activity.Current!));
        await next(context);
    }

    private static Activity Begin(IHeaderDictionary headers)
    {
        var activity = new Activity("openwop.request").SetIdFormat(ActivityIdFormat.W3C);
        if (ActivityContext.TryParse(headers.TraceParent, headers.TraceState, out var context))
        {
            activity.SetParentId(context.TraceId, context.SpanId, context.TraceFlags);
            activity.TraceStateString = context.TraceState;
        }

        return activity.Start();
    }

    private static Task Tell(object state)
    {
        var (response, activity) = ((HttpResponse, Activity))state;
        response.Headers.TraceParent = activity.Id;
        if (activity.TraceStateString is { Length: > 0 } traceState)
            response.Headers.TraceState = traceState;

        return Task.CompletedTask;
    }
}
