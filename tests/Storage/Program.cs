using OpenWop.Micro.Storage.Tests;

// "crash-writer <database file>" is the process that DurabilityTests kills; without arguments there is nothing to run.
return args is ["crash-writer", var path] ? await CrashWriter.RunAsync(path) : 64;
