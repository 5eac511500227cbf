namespace OpenWop.Micro.Protocol.Errors;

/// <summary>
/// A code of the error envelope with the HTTP status and the gRPC status it travels with: one row of the table that
/// <see cref="ErrorCodes"/> holds.
/// </summary>
/// <param name="Name">The wire value of <c>error</c>, snake_case.</param>
/// <param name="HttpStatus">Status of the REST answer.</param>
/// <param name="GrpcStatus">Numeric gRPC status (spec/interrupts-state-storage.md 10).</param>
public sealed record ErrorCode(string Name, int HttpStatus, int GrpcStatus)
{
    public override string ToString() => Name;
}

/// <summary>
/// Every code the server answers with, and nowhere else (spec/http-core.md 2.2). The same table maps REST and gRPC.
/// </summary>
public static class ErrorCodes
{
    private const int InvalidArgument = 3;
    private const int DeadlineExceeded = 4;
    private const int NotFoundStatus = 5;
    private const int AlreadyExists = 6;
    private const int PermissionDenied = 7;
    private const int ResourceExhausted = 8;
    private const int FailedPrecondition = 9;
    private const int Aborted = 10;
    private const int Unimplemented = 12;
    private const int Internal = 13;
    private const int Unavailable = 14;
    private const int UnauthenticatedStatus = 16;

    public static readonly ErrorCode ValidationError = new("validation_error", 400, InvalidArgument);
    public static readonly ErrorCode UnsupportedStreamMode = new("unsupported_stream_mode", 400, InvalidArgument);
    public static readonly ErrorCode UnsupportedForceEngineVersion = new("unsupported_force_engine_version", 400, InvalidArgument);
    public static readonly ErrorCode UnsupportedMockProvider = new("unsupported_mock_provider", 400, InvalidArgument);
    public static readonly ErrorCode InvalidCron = new("invalid_cron", 400, InvalidArgument);
    public static readonly ErrorCode InvalidTimezone = new("invalid_timezone", 400, InvalidArgument);
    public static readonly ErrorCode WebhookUrlRejected = new("webhook_url_rejected", 400, InvalidArgument);
    public static readonly ErrorCode UnversionedPath = new("unversioned_path", 400, InvalidArgument);
    public static readonly ErrorCode Unauthenticated = new("unauthenticated", 401, UnauthenticatedStatus);
    public static readonly ErrorCode KeyExpired = new("key_expired", 401, UnauthenticatedStatus);
    public static readonly ErrorCode KeyRevoked = new("key_revoked", 401, UnauthenticatedStatus);
    public static readonly ErrorCode Forbidden = new("forbidden", 403, PermissionDenied);
    public static readonly ErrorCode ForceEngineVersionForbidden = new("force_engine_version_forbidden", 403, PermissionDenied);
    public static readonly ErrorCode MockProviderForbidden = new("mock_provider_forbidden", 403, PermissionDenied);
    public static readonly ErrorCode CredentialForbidden = new("credential_forbidden", 403, FailedPrecondition);
    public static readonly ErrorCode NotFound = new("not_found", 404, NotFoundStatus);
    public static readonly ErrorCode WorkflowNotFound = new("workflow_not_found", 404, NotFoundStatus);
    public static readonly ErrorCode InterruptNotFound = new("interrupt_not_found", 404, NotFoundStatus);
    public static readonly ErrorCode MethodNotAllowed = new("method_not_allowed", 405, Unimplemented);
    public static readonly ErrorCode RequestTimeout = new("request_timeout", 408, DeadlineExceeded);
    public static readonly ErrorCode WorkflowExists = new("workflow_exists", 409, AlreadyExists);
    public static readonly ErrorCode ScheduleExists = new("schedule_exists", 409, AlreadyExists);
    public static readonly ErrorCode ScheduleLimitReached = new("schedule_limit_reached", 409, FailedPrecondition);
    public static readonly ErrorCode WebhookLimitReached = new("webhook_limit_reached", 409, FailedPrecondition);
    public static readonly ErrorCode WebhookFailed = new("webhook_failed", 409, FailedPrecondition);
    public static readonly ErrorCode TriggerLimitReached = new("trigger_limit_reached", 409, FailedPrecondition);
    public static readonly ErrorCode DeliveryNotDead = new("delivery_not_dead", 409, FailedPrecondition);
    public static readonly ErrorCode WebhookPathTaken = new("webhook_path_taken", 409, AlreadyExists);
    public static readonly ErrorCode RunAlreadyActive = new("run_already_active", 409, AlreadyExists);
    public static readonly ErrorCode IdempotencyInFlight = new("idempotency_in_flight", 409, Aborted);
    public static readonly ErrorCode IdempotencyKeyMismatch = new("idempotency_key_mismatch", 409, Aborted);
    public static readonly ErrorCode LastOwner = new("last_owner", 409, FailedPrecondition);
    public static readonly ErrorCode RunTerminal = new("run_terminal", 409, FailedPrecondition);
    public static readonly ErrorCode RunNotPausable = new("run_not_pausable", 409, FailedPrecondition);
    public static readonly ErrorCode RunNotPaused = new("run_not_paused", 409, FailedPrecondition);
    public static readonly ErrorCode RunPaused = new("run_paused", 409, FailedPrecondition);
    public static readonly ErrorCode InterruptAlreadyResolved = new("interrupt_already_resolved", 409, Aborted);
    public static readonly ErrorCode InterruptExpired = new("interrupt_expired", 410, FailedPrecondition);
    public static readonly ErrorCode InterruptGone = new("interrupt_gone", 410, FailedPrecondition);
    public static readonly ErrorCode RunExpired = new("run_expired", 410, NotFoundStatus);
    public static readonly ErrorCode WorkflowDeleted = new("workflow_deleted", 410, NotFoundStatus);
    public static readonly ErrorCode PreconditionFailed = new("precondition_failed", 412, FailedPrecondition);
    public static readonly ErrorCode PayloadTooLarge = new("payload_too_large", 413, ResourceExhausted);
    public static readonly ErrorCode UriTooLong = new("uri_too_long", 414, InvalidArgument);
    public static readonly ErrorCode PreconditionRequired = new("precondition_required", 428, FailedPrecondition);
    public static readonly ErrorCode UnsupportedMediaType = new("unsupported_media_type", 415, InvalidArgument);
    public static readonly ErrorCode InterruptCancelled = new("interrupt_cancelled", 422, FailedPrecondition);
    public static readonly ErrorCode CorrelationMismatch = new("correlation_mismatch", 422, InvalidArgument);
    public static readonly ErrorCode SequenceNotFound = new("sequence_not_found", 422, InvalidArgument);
    public static readonly ErrorCode CapabilityRequired = new("capability_required", 422, FailedPrecondition);
    public static readonly ErrorCode ResidencyUnavailable = new("residency_unavailable", 422, FailedPrecondition);
    public static readonly ErrorCode RateLimited = new("rate_limited", 429, ResourceExhausted);
    public static readonly ErrorCode HeadersTooLarge = new("headers_too_large", 431, ResourceExhausted);
    public static readonly ErrorCode InternalError = new("internal_error", 500, Internal);
    public static readonly ErrorCode EngineVersionMismatch = new("engine_version_mismatch", 500, FailedPrecondition);
    public static readonly ErrorCode CapabilityNotProvided = new("capability_not_provided", 501, FailedPrecondition);
    public static readonly ErrorCode ServiceUnavailable = new("service_unavailable", 503, Unavailable);
    public static readonly ErrorCode DeadlineExceededError = new("deadline_exceeded", 504, DeadlineExceeded);
    public static readonly ErrorCode HttpVersionNotSupported = new("http_version_not_supported", 505, Unimplemented);

    private static readonly Dictionary<string, ErrorCode> ByName = typeof(ErrorCodes)
        .GetFields(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Static)
        .Select(field => field.GetValue(null))
        .OfType<ErrorCode>()
        .ToDictionary(code => code.Name, StringComparer.Ordinal);

    /// <summary>All rows, for tests and documentation.</summary>
    public static IReadOnlyCollection<ErrorCode> All => ByName.Values;

    /// <summary>The row of a wire name, or null.</summary>
    public static ErrorCode? Find(string name) => ByName.GetValueOrDefault(name);
}
