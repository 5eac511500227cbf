using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;

namespace OpenWop.Micro.Runs.Mailbox;

/// <summary>What a command came to, the same for every retry of its call.</summary>
/// <param name="Status">Wire name of the run's status right after the decision.</param>
internal sealed record Decided(DateTimeOffset At, string Status, bool IsReplay);

internal abstract partial class RunCommand
{
    /// <summary>
    /// A command whose caller waits for what is decided, or for an error that is decided with it. The call's identity goes into the
    /// events that it leads to; a call that has led to some before gets the same answer and decides nothing.
    /// </summary>
    public abstract class Asked(RequestIdentity? request = null) : RunCommand
    {
        private readonly TaskCompletionSource<RunState> reply = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The state after the commit; faults with <see cref="ProtocolException"/> when the run refuses.</summary>
        public Task<RunState> Reply => reply.Task;

        /// <summary>Set once <see cref="Reply"/> has come without a fault.</summary>
        public Decided Decided { get; private set; } = null!;

        /// <summary>Set when the run refuses; nothing is appended then.</summary>
        private ProtocolError? Refusal { get; set; }

        public sealed override void Decide(Draft draft, RunDriver driver)
        {
            if (request is not null && HandledRequests.Find(draft.State, request.Id) is { } handled)
            {
                Refusal = handled.Request.Digest == request.Digest ? null : RunErrors.RequestMismatch;
                Decided = new Decided(handled.At, handled.Status, IsReplay: true);
                return;
            }

            draft.Request = request;
            Refusal = DecideAnew(draft, driver);
            draft.Request = null;
            Decided = new Decided(draft.Now, RunSnapshot.StatusOf(draft.State), IsReplay: false);
        }

        public override void Committed(RunState state)
        {
            if (Refusal is { } refusal)
            {
                reply.TrySetException(new ProtocolException(refusal));
            }
            else
            {
                reply.TrySetResult(state);
            }
        }

        public override void Failed(Exception exception) => reply.TrySetException(exception);

        /// <summary>Decides on the draft, or returns why the run refuses and adds nothing.</summary>
        protected abstract ProtocolError? DecideAnew(Draft draft, RunDriver driver);
    }
}
