package httpapi

import "net/http"

// takeSnapshot is for backups and for a quick next start. It needs room on the disk, like every command.
func (a *api) takeSnapshot(r *request) (answer, error) {
	if err := r.decodeNothing(); err != nil {
		return answer{}, err
	}
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	index, err := a.dispatcher.TakeSnapshot(r.context())
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, body: &Snapshot{Index: int64(index)}}, nil
}
