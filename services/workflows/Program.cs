using OpenWop.Micro.ServiceDefaults;
using OpenWop.Micro.Workflows;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults("workflows");
builder.AddWorkflows();

var app = builder.Build();
app.MapServiceDefaults();
app.MapWorkflows();
await app.RunAsync();
