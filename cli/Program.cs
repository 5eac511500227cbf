using OpenWop.Micro.Cli;

return await CommandLine.RunAsync(args);
