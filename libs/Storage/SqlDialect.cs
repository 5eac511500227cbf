namespace OpenWop.Micro.Storage;

/// <summary>The engines that a service can keep its data in.</summary>
public enum SqlDialect
{
    /// <summary>One file per service, embedded, needs no installation.</summary>
    Sqlite,

    /// <summary>One schema per service in a shared server; what several instances of a service need.</summary>
    PostgreSql,
}
