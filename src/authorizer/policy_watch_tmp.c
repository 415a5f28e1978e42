#include <authorizer/policy_watch.h>
enum status policy_watch_open(const char *path, const struct config *config, struct executor *executor,
			      const struct log *log, policy_watch_fn *heard, void *context,
			      struct policy_watch **watch_out, struct error *error)
{
	(void)path;
	(void)config;
	(void)executor;
	(void)log;
	(void)heard;
	(void)context;
	(void)error;
	*watch_out = NULL;
	return STATUS_OK;
}
void policy_watch_set(struct policy_watch *watch, const struct config *config)
{
	(void)watch;
	(void)config;
}
void policy_watch_run(struct policy_watch *watch, struct task *task)
{
	(void)watch;
	(void)task;
}
void policy_watch_stop(struct policy_watch *watch)
{
	(void)watch;
}
void policy_watch_close(struct policy_watch **watch)
{
	(void)watch;
}
