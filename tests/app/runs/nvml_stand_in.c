/* Two GPUs where there is none, for the real binding to talk to: the second one cannot tell how busy it is. */
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned int gpu, memory; } Utilization;

static int gpus[2];
enum { SUCCESS = 0, NOT_SUPPORTED = 3 };

int nvmlInit_v2(void) { return SUCCESS; }
int nvmlInitWithFlags(unsigned int flags) { (void)flags; return SUCCESS; }
const char *nvmlErrorString(int code) { (void)code; return "Not Supported"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return SUCCESS; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle) { *handle = &gpus[index]; return SUCCESS; }

int nvmlDeviceGetMemoryInfo(void *handle, Memory *memory) {
    memory->total = 16ULL << 30;
    memory->used = (handle == &gpus[0] ? 4ULL : 8ULL) << 30;
    memory->free = memory->total - memory->used;
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(void *handle, Utilization *utilization) {
    if (handle == &gpus[1]) return NOT_SUPPORTED;
    utilization->gpu = 75;
    utilization->memory = 30;
    return SUCCESS;
}
