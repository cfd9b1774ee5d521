! The species of a penguin, by a network that reseau has written as C: see README.md.

module penguins
  use, intrinsic :: iso_c_binding
  implicit none
  integer, parameter :: n_inputs = 15, n_outputs = 3   ! PENGUINS_INPUTS and PENGUINS_OUTPUTS of penguins.h

  type, bind(c) :: penguins_row                        ! as the struct of penguins.h
     type(c_ptr) :: island = c_null_ptr                ! c_null_ptr is a missing text, NaN a missing number
     real(c_double) :: bill_length_mm
     real(c_double) :: bill_depth_mm
     real(c_double) :: flipper_length_mm
     real(c_double) :: body_mass_g
     type(c_ptr) :: sex = c_null_ptr
     real(c_double) :: year
  end type penguins_row

  interface
     integer(c_int) function penguins_encode(row, x) bind(c)
       import
       type(penguins_row), intent(in) :: row
       real(c_float), intent(out) :: x(n_inputs)
     end function penguins_encode

     subroutine penguins_predict(x, o) bind(c)
       import
       real(c_float), intent(in) :: x(n_inputs)
       real(c_float), intent(out) :: o(n_outputs)
     end subroutine penguins_predict

     subroutine penguins_jacobian(x, J) bind(c)        ! C counts the last index first: J(i, k) = do_k/dx_i
       import
       real(c_float), intent(in) :: x(n_inputs)
       real(c_float), intent(out) :: J(n_inputs, n_outputs)
     end subroutine penguins_jacobian
  end interface
end module penguins

program predict
  use penguins
  implicit none
  character(len=*), parameter :: species(n_outputs) = [character(len=9) :: 'Adelie', 'Chinstrap', 'Gentoo']
  character(kind=c_char, len=7), target :: island = 'Biscoe' // c_null_char
  type(penguins_row) :: row
  real(c_float) :: x(n_inputs), p(n_outputs), J(n_inputs, n_outputs)
  integer :: k, best

  row%island = c_loc(island)
  row%bill_length_mm = 46.1d0
  row%bill_depth_mm = 13.2d0
  row%flipper_length_mm = 211d0
  row%body_mass_g = 4500d0
  row%year = 2007d0                                    ! the sex is not known

  if (penguins_encode(row, x) /= 0) stop 'a value cannot be used'
  call penguins_predict(x, p)
  do k = 1, n_outputs
     print '(a, f8.4)', species(k), p(k)
  end do

  call penguins_jacobian(x, J)
  best = maxloc(p, dim=1)
  print '(3a, i0)', trim(species(best)), ' depends most on input ', 'x', maxloc(abs(J(:, best)), dim=1)
end program predict
