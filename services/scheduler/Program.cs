using OpenWop.Micro.Scheduler;
using OpenWop.Micro.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("scheduler");
builder.AddScheduler();

var app = builder.Build();
app.MapServiceDefaults();
app.MapScheduler();
await app.RunAsync();
