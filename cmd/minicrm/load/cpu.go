package load

import "syscall"

// CPU is processor time in seconds.
type CPU struct {
	User   float64 `json:"user_s"`
	System float64 `json:"system_s"`
}

// ownCPU is what this process has used since its start.
func ownCPU() CPU {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return CPU{} // the call is always right
	}
	return CPU{User: seconds(u.Utime), System: seconds(u.Stime)}
}

func seconds(t syscall.Timeval) float64 { return float64(t.Nano()) / 1e9 }

func (c CPU) minus(o CPU) CPU { return CPU{User: c.User - o.User, System: c.System - o.System} }

func (c CPU) sum() float64 { return c.User + c.System }
