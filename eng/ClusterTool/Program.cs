using OpenWop.Micro.ClusterTool;

return await Commands.RunAsync(args);
