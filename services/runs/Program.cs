using OpenWop.Micro.Runs;
using OpenWop.Micro.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("runs");
builder.AddRuns();

var app = builder.Build();
app.MapServiceDefaults();
app.MapRuns();
await app.RunAsync();
