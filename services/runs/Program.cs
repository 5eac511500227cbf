using OpenWop.Micro.Runs;
using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.ServiceDefaults.Callers;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("runs");
builder.AddCallers("runs");
builder.AddRuns();

var app = builder.Build();
app.MapServiceDefaults();
app.MapRuns();
await app.RunAsync();
