// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_process.h"

#include "io/io_process.h"

#define SERIES(name, field)                                                                        \
    static const struct metric_series name[] = {{offsetof(struct io_process, field)}}

SERIES(cpu, cpu_ns);
SERIES(resident, resident_len);
SERIES(virtual, virtual_len);
SERIES(open_fds, descriptors);
SERIES(max_fds, descriptors_max);
SERIES(threads, threads);
SERIES(start, start_s);

const struct metric_family daemon_process_families[] = {
    METRIC_FAMILY_SECONDS("process.cpu", "Time of all CPUs.", cpu),
    METRIC_FAMILY(GAUGE, "process.resident_memory", "By", "Memory in use.", resident),
    METRIC_FAMILY(GAUGE, "process.virtual_memory", "By", "Memory that is mapped.", virtual),
    METRIC_FAMILY(GAUGE, "process.open_fds", "{file}", "Descriptors that are open.", open_fds),
    METRIC_FAMILY(GAUGE, "process.max_fds", "{file}", "Descriptors that may be open.", max_fds),
    METRIC_FAMILY(GAUGE, "process.threads", "{thread}", "Threads there are.", threads),
    METRIC_FAMILY(GAUGE, "process.start_time", "s", "When the process began, in Unix time.", start),
};
const size_t daemon_process_family_count = COUNT_OF(daemon_process_families);
