/* The simulated driver as a shared library: the same driver table as console/simulator/driver.py,
 * for programs that load libnvidia-ml.so.1 themselves (nvitop, gpustat) and for the contract tests
 * of the GPU door. The table's format is told in console/simulator/driver_table.py; its path comes
 * from GPUCONSOLE_DRIVER_TABLE at each call, and it is read again when the file changes.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

typedef unsigned int uint;
typedef unsigned long long u64;
typedef void *device;

enum {
    OK = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9, VERSION_MISMATCH = 25, UNKNOWN = 999
};

static const struct { const char *name; int code; } ERRORS[] = {
    {"UNINITIALIZED", 1}, {"INVALID_ARGUMENT", 2}, {"NOT_SUPPORTED", 3}, {"NO_PERMISSION", 4},
    {"ALREADY_INITIALIZED", 5}, {"NOT_FOUND", 6}, {"INSUFFICIENT_SIZE", 7},
    {"INSUFFICIENT_POWER", 8}, {"DRIVER_NOT_LOADED", 9}, {"TIMEOUT", 10}, {"IRQ_ISSUE", 11},
    {"LIBRARY_NOT_FOUND", 12}, {"FUNCTION_NOT_FOUND", 13}, {"CORRUPTED_INFOROM", 14},
    {"GPU_IS_LOST", 15}, {"RESET_REQUIRED", 16}, {"OPERATING_SYSTEM", 17},
    {"LIB_RM_VERSION_MISMATCH", 18}, {"IN_USE", 19}, {"MEMORY", 20}, {"NO_DATA", 21},
    {"INSUFFICIENT_RESOURCES", 23}, {"ARGUMENT_VERSION_MISMATCH", 25}, {"DEPRECATED", 26},
    {"NOT_READY", 27}, {"GPU_NOT_FOUND", 28}, {"INVALID_STATE", 29},
};

/* One line of the table: gpu -1 for the driver's own facts. */
typedef struct { int gpu; const char *key; char *value; } fact;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *text;
static fact *facts;
static size_t fact_count;
static int card_count, users;
static struct timespec seen_time;
static ino_t seen_inode;

static void forget(void) {
    free(text);
    free(facts);
    text = NULL;
    facts = NULL;
    fact_count = 0;
    card_count = 0;
    seen_inode = 0;
}

static void take_line(char *line) {
    char *end = line + strlen(line), *rest;
    fact found = {.gpu = -1};
    while (*line == ' ' || *line == '\t') line++;
    while (end > line && strchr(" \t\r", end[-1])) *--end = 0;
    if (!*line || *line == '#') return;
    if (!strncmp(line, "gpu ", 4)) {
        found.gpu = (int)strtol(line + 4, &line, 10);
        line += *line == ' ';
        if (found.gpu >= card_count) card_count = found.gpu + 1;
    }
    rest = strchr(line, ' ');
    if (rest) *rest++ = 0;
    found.key = line;
    found.value = rest ? rest : end;
    facts = realloc(facts, (fact_count + 1) * sizeof *facts);
    facts[fact_count++] = found;
}

/* Read the table where its file has changed; an error's code where there is none. */
static int refresh(void) {
    const char *path = getenv("GPUCONSOLE_DRIVER_TABLE");
    struct stat now;
    FILE *file = path && !stat(path, &now) ? fopen(path, "rb") : NULL;
    char *line, *next;
    size_t size;
    if (!file) {
        forget();
        users = 0;
        return DRIVER_NOT_LOADED;
    }
    if (text && now.st_ino == seen_inode && now.st_mtim.tv_sec == seen_time.tv_sec &&
        now.st_mtim.tv_nsec == seen_time.tv_nsec) {
        fclose(file);
        return OK;
    }
    forget();
    text = calloc(1, (size_t)now.st_size + 1);
    size = fread(text, 1, (size_t)now.st_size, file);
    fclose(file);
    text[size] = 0;
    seen_inode = now.st_ino;
    seen_time = now.st_mtim;
    for (line = text; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        take_line(line);
    }
    return OK;
}

/* The last line of a key counts; NULL where there is none or it says "-". */
static const char *find(int gpu, const char *key) {
    const char *value = NULL;
    for (size_t at = 0; at < fact_count; at++)
        if (facts[at].gpu == gpu && !strcmp(facts[at].key, key)) value = facts[at].value;
    return value && strcmp(value, "-") && *value ? value : NULL;
}

/* What stands behind one name in the lists "fault" and "hang". */
static const char *find_in(int gpu, const char *list, const char *name, size_t length) {
    const char *value = NULL;
    for (size_t at = 0; at < fact_count; at++)
        if (facts[at].gpu == gpu && !strcmp(facts[at].key, list) &&
            !strncmp(facts[at].value, name, length) && facts[at].value[length] == ' ')
            value = facts[at].value + length + 1;
    return value;
}

/* By the symbol, by the symbol without _vN, as "init", by "*". */
static const char *match(int gpu, const char *list, const char *name) {
    size_t length = strlen(name);
    int init = !strncmp(name, "nvmlInit", 8);
    const char *value = find_in(gpu, list, name, length);
    if (!value && length > 3 && name[length - 3] == '_' && name[length - 2] == 'v')
        value = find_in(gpu, list, name, length - 3);
    if (!value && init) value = find_in(gpu, list, "init", 4);
    return value ? value : find_in(gpu, list, "*", 1);
}

static int error_code(const char *name) {
    for (size_t at = 0; at < sizeof ERRORS / sizeof *ERRORS; at++)
        if (!strcmp(ERRORS[at].name, name)) return ERRORS[at].code;
    return UNKNOWN;
}

static void wait_seconds(double seconds) {
    struct timespec rest = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&rest, &rest)) {
    }
}

/* Hang and fail as the table asks; returns with the lock held, whatever the answer. */
static int check(int gpu, const char *name) {
    const char *value = match(gpu, "hang", name);
    if (value) {
        double seconds = atof(value);
        pthread_mutex_unlock(&lock);
        wait_seconds(seconds);
        pthread_mutex_lock(&lock);
        if (!text) return DRIVER_NOT_LOADED;
    }
    value = match(gpu, "fault", name);
    return value ? error_code(value) : OK;
}

/* Begin a call of the driver: the lock is held afterwards, also where an error is given. */
static int enter(const char *name) {
    int init = !strncmp(name, "nvmlInit", 8), error;
    pthread_mutex_lock(&lock);
    error = refresh();
    if (error) return error;
    if (find_in(-1, "fault", "init", 4)) users = 0;
    if (!init && !users) return UNINITIALIZED;
    return check(-1, name);
}

static int enter_card(const char *name, device handle, int *gpu) {
    int error = enter(name);
    *gpu = (int)(intptr_t)handle - 1;
    if (error) return error;
    if (*gpu < 0 || *gpu >= card_count) return INVALID_ARGUMENT;
    return check(*gpu, name);
}

static int leave(int code) {
    pthread_mutex_unlock(&lock);
    return code;
}

/* Copy a text, turning \xHH into its byte. */
static int give_text(char *to, uint size, const char *value) {
    uint at = 0;
    if (!value) return NOT_SUPPORTED;
    while (*value) {
        char byte = *value++;
        unsigned code;
        if (byte == '\\' && sscanf(value, "x%2x", &code) == 1 && value[1] && value[2]) {
            byte = (char)code;
            value += 3;
        }
        if (at + 1 >= size) return INSUFFICIENT_SIZE;
        to[at++] = byte;
        if (!byte) return OK;
    }
    if (at >= size) return INSUFFICIENT_SIZE;
    to[at] = 0;
    return OK;
}

static u64 number(int gpu, const char *key, int *known) {
    const char *value = find(gpu, key);
    *known = value != NULL;
    return value ? strtoull(value, NULL, 0) : 0;
}

static int give_uint(int gpu, const char *key, uint *to) {
    int known;
    u64 value = number(gpu, key, &known);
    if (!known) return NOT_SUPPORTED;
    *to = (uint)value;
    return OK;
}

static int give_u64(int gpu, const char *key, u64 *to) {
    int known;
    u64 value = number(gpu, key, &known);
    if (!known) return NOT_SUPPORTED;
    *to = value;
    return OK;
}

/* -- the driver ------------------------------------------------------------------------------ */

static int init(const char *name) {
    int error = enter(name);
    if (!error) users++;
    return leave(error);
}

int nvmlInit_v2(void) { return init(__func__); }
int nvmlInitWithFlags(uint flags) { (void)flags; return init(__func__); }

int nvmlShutdown(void) {
    int error = enter(__func__);
    if (!error) users--;
    return leave(error);
}

const char *nvmlErrorString(int code) {
    for (size_t at = 0; at < sizeof ERRORS / sizeof *ERRORS; at++)
        if (ERRORS[at].code == code) return ERRORS[at].name;
    return code ? "Unknown Error" : "Success";
}

#define DRIVER_TEXT(function, key)                                                        \
    int function(char *to, uint size) {                                                   \
        int error = enter(__func__);                                                      \
        return leave(error ? error : give_text(to, size, find(-1, key)));                 \
    }
DRIVER_TEXT(nvmlSystemGetDriverVersion, "driver_version")
#ifdef TWIN_NVML_VERSION /* a library of a newer driver, for tests that replace the file */
int nvmlSystemGetNVMLVersion(char *to, uint size) {
    int error = enter(__func__);
    return leave(error ? error : give_text(to, size, TWIN_NVML_VERSION));
}
#else
DRIVER_TEXT(nvmlSystemGetNVMLVersion, "nvml_version")
#endif

#define DRIVER_NUMBER(function, key)                                                      \
    int function(uint *to) {                                                              \
        int error = enter(__func__);                                                      \
        return leave(error ? error : give_uint(-1, key, to));                             \
    }
DRIVER_NUMBER(nvmlSystemGetCudaDriverVersion, "cuda_version")
DRIVER_NUMBER(nvmlSystemGetCudaDriverVersion_v2, "cuda_version")

int nvmlDeviceGetCount_v2(uint *to) {
    int error = enter(__func__);
    if (!error) *to = (uint)card_count;
    return leave(error);
}

int nvmlDeviceGetHandleByIndex_v2(uint index, device *to) {
    int gpu, error = enter_card(__func__, (device)(intptr_t)(index + 1), &gpu);
    if (!error) *to = (device)(intptr_t)(gpu + 1);
    return leave(error);
}

static int handle_by(const char *function, const char *key, const char *wanted, device *to) {
    int error = enter(function);
    char value[128];
    for (int gpu = 0; !error && gpu < card_count; gpu++)
        if (!give_text(value, sizeof value, find(gpu, key)) && !strcasecmp(value, wanted)) {
            error = check(gpu, function);
            if (!error) *to = (device)(intptr_t)(gpu + 1);
            return leave(error);
        }
    return leave(error ? error : NOT_FOUND);
}

int nvmlDeviceGetHandleByUUID(const char *uuid, device *to) {
    return handle_by(__func__, "uuid", uuid, to);
}
int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, device *to) {
    return handle_by(__func__, "pci_bus_id", bus, to);
}

/* -- a card's identity ----------------------------------------------------------------------- */

#define CARD_TEXT(function, key)                                                          \
    int function(device handle, char *to, uint size) {                                    \
        int gpu, error = enter_card(__func__, handle, &gpu);                              \
        return leave(error ? error : give_text(to, size, find(gpu, key)));                \
    }
CARD_TEXT(nvmlDeviceGetUUID, "uuid")
CARD_TEXT(nvmlDeviceGetName, "name")
CARD_TEXT(nvmlDeviceGetSerial, "serial")

typedef struct {
    char legacy[16];
    uint domain, bus, device, pci_device, pci_subsystem;
    char bus_id[32];
} pci_info;

int nvmlDeviceGetPciInfo_v3(device handle, pci_info *to) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    if (error) return leave(error);
    memset(to, 0, sizeof *to);
    error = give_text(to->bus_id, sizeof to->bus_id, find(gpu, "pci_bus_id"));
    sscanf(to->bus_id, "%x:%x:%x", &to->domain, &to->bus, &to->device);
    return leave(error);
}

int nvmlDeviceGetIndex(device handle, uint *to) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    if (!error) *to = (uint)gpu;
    return leave(error);
}

int nvmlDeviceGetMinorNumber(device handle, uint *to) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    const char *flavour = find(-1, "flavour");
    if (error) return leave(error);
    if (flavour && !strcmp(flavour, "wsl")) return leave(NOT_SUPPORTED);
    *to = (uint)gpu;
    return leave(OK);
}

int nvmlDeviceGetCudaComputeCapability(device handle, int *major, int *minor) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    const char *value = find(gpu, "compute_capability");
    if (error) return leave(error);
    return leave(value && sscanf(value, "%d.%d", major, minor) == 2 ? OK : NOT_SUPPORTED);
}

int nvmlDeviceGetNumGpuCores(device handle, uint *to) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    const char *generation = find(gpu, "compute_capability");
    if (!error) error = give_uint(gpu, "multiprocessors", to);
    if (error) return leave(error);
    generation = generation ? generation : "";
    *to *= !strcmp(generation, "7.0") || !strcmp(generation, "7.5") || !strcmp(generation, "8.0")
               ? 64 : 128;
    return leave(OK);
}

/* -- a card's figures ------------------------------------------------------------------------ */

#define CARD_NUMBER(function, key)                                                        \
    int function(device handle, uint *to) {                                               \
        int gpu, error = enter_card(__func__, handle, &gpu);                              \
        return leave(error ? error : give_uint(gpu, key, to));                            \
    }
CARD_NUMBER(nvmlDeviceGetPowerUsage, "power_mw")
CARD_NUMBER(nvmlDeviceGetEnforcedPowerLimit, "power_limit_mw")
CARD_NUMBER(nvmlDeviceGetPowerManagementLimit, "power_limit_mw")
CARD_NUMBER(nvmlDeviceGetFanSpeed, "fan")
CARD_NUMBER(nvmlDeviceGetCurrPcieLinkGeneration, "pcie_generation")
CARD_NUMBER(nvmlDeviceGetCurrPcieLinkWidth, "pcie_width")
CARD_NUMBER(nvmlDeviceGetPerformanceState, "pstate")

#define CARD_MASK(function)                                                               \
    int function(device handle, u64 *to) {                                                \
        int gpu, error = enter_card(__func__, handle, &gpu);                              \
        return leave(error ? error : give_u64(gpu, "throttle", to));                      \
    }
CARD_MASK(nvmlDeviceGetCurrentClocksEventReasons)
CARD_MASK(nvmlDeviceGetCurrentClocksThrottleReasons)

int nvmlDeviceGetTemperature(device handle, uint sensor, uint *to) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    (void)sensor;
    return leave(error ? error : give_uint(gpu, "temperature", to));
}

typedef struct { uint version, sensor; int celsius; } temperature;

int nvmlDeviceGetTemperatureV(device handle, temperature *to) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    return leave(error ? error : give_uint(gpu, "temperature", (uint *)&to->celsius));
}

int nvmlDeviceGetClockInfo(device handle, uint kind, uint *to) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    return leave(error ? error : give_uint(gpu, kind == 2 ? "clock_memory" : "clock_graphics", to));
}

int nvmlDeviceGetMaxClockInfo(device handle, uint kind, uint *to) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    const char *key = kind == 2 ? "clock_memory" : "max_clock_graphics";
    return leave(error ? error : give_uint(gpu, key, to));
}

int nvmlDeviceGetEccMode(device handle, uint *now, uint *next) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    if (!error) error = give_uint(gpu, "ecc", now);
    if (!error) *next = *now;
    return leave(error);
}

int nvmlDeviceGetTotalEccErrors(device handle, uint kind, uint counter, u64 *to) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    (void)kind, (void)counter;
    return leave(error ? error : give_u64(gpu, "ecc_errors", to));
}

typedef struct { uint gpu, memory; } rates;

int nvmlDeviceGetUtilizationRates(device handle, rates *to) {
    int gpu, error = enter_card(__func__, handle, &gpu);
    if (!error) error = give_uint(gpu, "utilization", &to->gpu);
    if (!error && give_uint(gpu, "memory_utilization", &to->memory)) to->memory = 0;
    return leave(error);
}

typedef struct { u64 total, reserved, free, used; } memory;

static int read_memory(int gpu, memory *to) {
    int known_total, known_used, known;
    u64 taken;
    to->total = number(gpu, "memory_total", &known_total);
    to->used = number(gpu, "memory_used", &known_used);
    to->reserved = number(gpu, "memory_reserved", &known);
    taken = to->used + to->reserved;
    to->free = number(gpu, "memory_free", &known);
    if (!known) to->free = taken < to->total ? to->total - taken : 0;
    return known_total && known_used ? OK : NOT_SUPPORTED;
}

typedef struct { u64 total, free, used; } memory_v1;

int nvmlDeviceGetMemoryInfo(device handle, memory_v1 *to) {
    memory found;
    int gpu, error = enter_card(__func__, handle, &gpu);
    if (!error) error = read_memory(gpu, &found);
    if (error) return leave(error);
    to->total = found.total;
    to->free = found.free;
    to->used = found.used + found.reserved;
    return leave(OK);
}

typedef struct { uint version; u64 total, reserved, free, used; } memory_v2;

int nvmlDeviceGetMemoryInfo_v2(device handle, memory_v2 *to) {
    memory found;
    int gpu, error = enter_card(__func__, handle, &gpu);
    if (!error && to->version != (sizeof *to | 2 << 24)) error = VERSION_MISMATCH;
    if (!error) error = read_memory(gpu, &found);
    if (error) return leave(error);
    to->total = found.total;
    to->reserved = found.reserved;
    to->free = found.free;
    to->used = found.used;
    return leave(OK);
}

/* -- processes ------------------------------------------------------------------------------- */

typedef struct { uint pid; u64 used; uint gpu_instance, compute_instance; } process;

static int read_processes(const char *function, const char *kind, device handle, uint *count,
                          process *to) {
    int gpu, error = enter_card(function, handle, &gpu);
    const char *flavour = find(-1, "flavour");
    int wsl = flavour && !strcmp(flavour, "wsl");
    uint found = 0, room;
    if (error) return leave(error);
    room = *count;
    for (size_t at = 0; at < fact_count; at++) {
        char of[16] = "", used[32] = "-";
        uint pid;
        if (facts[at].gpu != gpu || strcmp(facts[at].key, "process") ||
            sscanf(facts[at].value, "%u %15s %31s", &pid, of, used) < 2 || strcmp(of, kind))
            continue;
        if (to && found < room) {
            to[found].pid = pid;
            to[found].used = wsl || *used == '-' ? UINT64_MAX : strtoull(used, NULL, 0);
            to[found].gpu_instance = to[found].compute_instance = UINT32_MAX;
        }
        found++;
    }
    *count = found;
    return leave(found && (!to || room < found) ? INSUFFICIENT_SIZE : OK);
}

#define PROCESSES(function, kind)                                                         \
    int function(device handle, uint *count, process *to) {                               \
        return read_processes(__func__, kind, handle, count, to);                         \
    }
PROCESSES(nvmlDeviceGetComputeRunningProcesses_v3, "compute")
PROCESSES(nvmlDeviceGetComputeRunningProcesses_v2, "compute")
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v3, "graphics")
PROCESSES(nvmlDeviceGetGraphicsRunningProcesses_v2, "graphics")

/* -- what this board does not have; there are callers that need at least the name -------------- */

#define NOT_HERE(function)                                                                \
    int function(device handle) {                                                         \
        int gpu, error = enter_card(__func__, handle, &gpu);                              \
        return leave(error ? error : NOT_SUPPORTED);                                      \
    }
NOT_HERE(nvmlDeviceGetBAR1MemoryInfo)
NOT_HERE(nvmlDeviceGetComputeMode)
NOT_HERE(nvmlDeviceGetDecoderUtilization)
NOT_HERE(nvmlDeviceGetDisplayActive)
NOT_HERE(nvmlDeviceGetDisplayMode)
NOT_HERE(nvmlDeviceGetDriverModel)
NOT_HERE(nvmlDeviceGetDriverModel_v2)
NOT_HERE(nvmlDeviceGetEncoderUtilization)
NOT_HERE(nvmlDeviceGetFieldValues)
NOT_HERE(nvmlDeviceGetMaxMigDeviceCount)
NOT_HERE(nvmlDeviceGetMemoryBusWidth)
NOT_HERE(nvmlDeviceGetMigMode)
NOT_HERE(nvmlDeviceGetMPSComputeRunningProcesses_v3)
NOT_HERE(nvmlDeviceGetPcieThroughput)
NOT_HERE(nvmlDeviceGetPersistenceMode)
NOT_HERE(nvmlDeviceGetProcessUtilization)
NOT_HERE(nvmlDeviceIsMigDeviceHandle)
